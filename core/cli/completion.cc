#include "core/cli/completion.h"

#include <sstream>

namespace plumb::cli {
namespace {

// CLI11 keeps the choices of IsMember in the type's name only: TEXT:{console,json}.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  std::vector<std::string> out;
  if (open == std::string::npos || close == std::string::npos) return out;
  std::istringstream words(type.substr(open + 1, close - open - 1));
  for (std::string word; std::getline(words, word, ',');) out.push_back(word);
  return out;
}

void collect(const CLI::App& app, const std::string& path, std::vector<CompletionCommand>& out) {
  CompletionCommand command{.path = path, .help = app.get_description()};
  for (const CLI::Option* option : app.get_options()) {
    CompletionOption one{.choices = choices_of(*option),
                         .takes_value = option->get_expected_max() > 0,
                         .help = option->get_description()};
    for (const std::string& name : option->get_snames()) one.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) one.names.push_back("--" + name);
    if (option->get_positional()) {
      command.takes_files = true;
      // The choices of a positional are offered as words.
      for (const std::string& choice : one.choices) command.subcommands.push_back(choice);
    }
    if (!one.names.empty()) command.options.push_back(std::move(one));
  }
  std::vector<const CLI::App*> below;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_group().empty()) below.push_back(sub);
  for (const CLI::App* sub : below) command.subcommands.push_back(sub->get_name());
  out.push_back(std::move(command));
  for (const CLI::App* sub : below) collect(*sub, path + " " + sub->get_name(), out);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string names_of(const CompletionCommand& command) {
  std::string out;
  for (const CompletionOption& option : command.options)
    out += (out.empty() ? "" : " ") + joined(option.names);
  return out;
}

// bash and zsh: finds the command that the words before the cursor name, then offers its words.
std::string posix_body(const std::vector<CompletionCommand>& commands, const char* indent) {
  std::string out;
  const auto line = [&](const std::string& text) { out += indent + text + "\n"; };
  line("local at=plumb word");
  line("for word in \"${before[@]}\"; do");
  line("  case \"$at $word\" in");
  std::string paths;
  for (const CompletionCommand& command : commands)
    if (command.path != "plumb") paths += (paths.empty() ? "\"" : "|\"") + command.path + "\"";
  line("    " + paths + ") at=\"$at $word\" ;;");
  line("  esac");
  line("done");
  line("local offers= files=");
  line("case \"$at:$previous\" in");
  for (const CompletionCommand& command : commands)
    for (const CompletionOption& option : command.options) {
      if (!option.takes_value) continue;
      std::string patterns;
      for (const std::string& name : option.names)
        patterns += (patterns.empty() ? "\"" : "|\"") + command.path + ":" + name + "\"";
      line("  " + patterns + ") offers=\"" + joined(option.choices) +
           "\"; files=" + (option.choices.empty() ? "1" : "") + " ;;");
    }
  for (const CompletionCommand& command : commands)
    line("  \"" + command.path + "\":*) offers=\"" + joined(command.subcommands) + " " +
         names_of(command) + "\"; files=" + (command.takes_files ? "1" : "") + " ;;");
  line("esac");
  return out;
}

std::string bash_script(const std::vector<CompletionCommand>& commands) {
  return "# plumb completion for bash: source <(plumb completion bash)\n"
         "_plumb() {\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  local before=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n" +
         posix_body(commands, "  ") +
         "  COMPREPLY=($(compgen -W \"$offers\" -- \"$current\"))\n"
         "  [[ -n $files && $current != -* ]] && COMPREPLY+=($(compgen -f -- \"$current\"))\n"
         "  return 0\n"
         "}\n"
         "complete -o filenames -F _plumb plumb\n";
}

std::string zsh_script(const std::vector<CompletionCommand>& commands) {
  return "#compdef plumb\n"
         "# plumb completion for zsh: source <(plumb completion zsh)\n"
         "_plumb() {\n"
         "  local previous=\"${words[CURRENT-1]}\"\n"
         "  local -a before=(\"${(@)words[2,CURRENT-1]}\")\n"
         "  _plumb_offer\n"
         "}\n"
         "_plumb_offer() {\n" +
         posix_body(commands, "  ") +
         "  compadd -- ${=offers}\n"
         "  [[ -n $files ]] && _files\n"
         "}\n"
         "compdef _plumb plumb\n";
}

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_script(const std::vector<CompletionCommand>& commands) {
  std::string out =
      "# plumb completion for fish: plumb completion fish | source\n"
      "function __plumb_path_is\n"
      "  set -l path plumb\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$path $word\"\n"
      "      case";
  for (const CompletionCommand& command : commands)
    if (command.path != "plumb") out += " " + fish_quoted(command.path);
  out +=
      "\n        set path \"$path $word\"\n"
      "    end\n"
      "  end\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n";
  for (const CompletionCommand& command : commands) {
    const std::string start =
        "complete -c plumb -n " + fish_quoted("__plumb_path_is " + fish_quoted(command.path));
    if (!command.takes_files) out += start + " -f\n";
    if (!command.subcommands.empty())
      out += start + " -a " + fish_quoted(joined(command.subcommands)) + "\n";
    for (const CompletionOption& option : command.options) {
      out += start;
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.choices.empty())
        out += " -x -a " + fish_quoted(joined(option.choices));
      else if (option.takes_value)
        out += " -r";
      out += " -d " + fish_quoted(option.help) + "\n";
    }
  }
  return out;
}

}  // namespace

std::vector<CompletionCommand> completion_commands(const CLI::App& app) {
  std::vector<CompletionCommand> out;
  collect(app, "plumb", out);
  return out;
}

std::string completion_script(const CLI::App& app, const std::string& shell) {
  const auto commands = completion_commands(app);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  return bash_script(commands);
}

}  // namespace plumb::cli
