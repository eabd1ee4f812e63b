// plumb: the command line.
#include <csignal>
#include <cstdio>
#include <exception>

#include "core/base/nearest.h"
#include "core/cli/command.h"
#include "core/cli/last_words.h"

namespace {

using plumb::session::ExitCode;

std::vector<const CLI::App*> visible_commands(const CLI::App& app) {
  std::vector<const CLI::App*> out;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_group().empty()) out.push_back(sub);
  return out;
}

// The innermost command that was given.
const CLI::App& given_command(const CLI::App& app) {
  const CLI::App* at = &app;
  for (auto below = at->get_subcommands(); !below.empty(); below = at->get_subcommands())
    at = below.front();
  return *at;
}

std::string full_name(const CLI::App& command) {
  return command.get_parent() == nullptr
             ? "plumb"
             : full_name(*command.get_parent()) + " " + command.get_name();
}

// What a word that nobody expected was most likely meant to be.
std::string suggestion(const CLI::App& command, const std::string& word) {
  std::vector<std::string> candidates;
  if (word.starts_with('-')) {
    for (const CLI::Option* option : command.get_options())
      for (const std::string& name : option->get_lnames()) candidates.push_back("--" + name);
  } else {
    for (const CLI::App* sub : visible_commands(command)) candidates.push_back(sub->get_name());
  }
  std::string out = plumb::did_you_mean(word.substr(0, word.find('=')), candidates);
  if (out.empty() && !word.starts_with('-') && !candidates.empty()) {
    out = " Commands:";
    for (const std::string& name : candidates) out += " " + name;
  }
  return out;
}

ExitCode complain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = given_command(app);
  const std::string name = full_name(command);
  const auto extra = command.remaining_size() > 0 ? command.remaining() : app.remaining(true);
  std::string message = error.what();
  const bool has_commands = !visible_commands(command).empty();
  const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  if (has_commands && extra.empty() && !is_extra && &command != &app) {
    message = "what shall it do?" + suggestion(command, "");
  } else if (!extra.empty() && (is_extra || has_commands)) {
    const bool is_command = !extra[0].starts_with('-') && has_commands;
    message = std::string(is_command ? "there is no command " : "what is ") + "'" + extra[0] +
              (is_command ? "'." : "'?") + suggestion(command, extra[0]);
  }
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::fprintf(stderr, "%s: %s\n%s --help tells how it is used\n", name.c_str(), message.c_str(),
               name.c_str());
  return ExitCode::kUsage;
}

void describe_root(CLI::App& app, plumb::cli::Shared& shared) {
  app.name("plumb");
  app.description(
      "plumb finds what limits a service: it loads it, watches every layer under it, and "
      "tells which one\ncosts each request how many milliseconds, with evidence.");
  app.footer(
      "Examples:\n"
      "  plumb init http://127.0.0.1:8080       write a plan to begin with\n"
      "  plumb run plumb.yaml                   run it, and see what limits the service\n"
      "  plumb report last --format md          report on the last run again\n"
      "\nEvery command has a --help of its own.");
  app.add_option("--color", shared.color, "Colour: auto is on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  app.set_version_flag("--version", [] { return std::string("plumb ") + PLUMB_VERSION; });
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
}

int run(int argc, char** argv) {
  plumb::cli::Shared shared;
  CLI::App app;
  describe_root(app, shared);
  plumb::cli::add_run_command(app, shared);
  plumb::cli::add_capacity_command(app, shared);
  plumb::cli::add_report_command(app, shared);
  plumb::cli::add_runs_command(app, shared);
  plumb::cli::add_compare_command(app, shared);
  plumb::cli::add_baseline_command(app, shared);
  plumb::cli::add_trend_command(app, shared);
  plumb::cli::add_import_command(app, shared);
  plumb::cli::add_explain_command(app, shared);
  plumb::cli::add_validate_command(app, shared);
  plumb::cli::add_init_command(app, shared);
  plumb::cli::add_plugin_command(app, shared);
  plumb::cli::add_doctor_command(app, shared);
  plumb::cli::add_small_commands(app, shared);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come this way too.
    if (error.get_exit_code() == 0) return app.exit(error);
    return static_cast<int>(complain(app, error));
  }
  if (app.get_subcommands().empty()) plumb::cli::print(app.help());
  return static_cast<int>(shared.exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    // A full disk or file size limit is told by the write that meets it.
    std::signal(SIGXFSZ, SIG_IGN);
    const int code = run(argc, argv);
    return plumb::cli::finish_output() ? code : static_cast<int>(ExitCode::kFailed);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "plumb: %s\n", plumb::cli::last_words(e).c_str());
    return static_cast<int>(ExitCode::kFailed);
  }
}
