#include "core/cli/command.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/atomic_file.h"

namespace plumb::cli {
namespace {

// Run files are SQLite's.
bool is_database(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return false;
  constexpr std::string_view kMagic = "SQLite format 3";
  std::array<char, kMagic.size()> head{};
  std::ifstream in(file, std::ios::binary);
  return in.read(head.data(), head.size()) && std::string_view(head.data(), head.size()) == kMagic;
}

}  // namespace

Terminal Shared::terminal() const {
  return detect_terminal(color == "always"  ? Color::kAlways
                         : color == "never" ? Color::kNever
                                            : Color::kAuto);
}

CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& description,
                      const std::string& examples) {
  CLI::App* command = parent.add_subcommand(name, description);
  if (!examples.empty()) command->footer("Examples:\n" + examples);
  return command;
}

void add_set_flag(CLI::App& command, PlanFlags& flags) {
  command
      .add_option("--set", flags.set,
                  "Give a key of the plan a value; may be repeated. Lists by index")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
}

void add_plan_flags(CLI::App& command, PlanFlags& flags) {
  add_set_flag(command, flags);
  std::vector<std::string> profiles;
  for (const plan::Profile& profile : plan::load_profiles()) profiles.push_back(profile.name);
  command.add_option("--profile", flags.profile, "Load as this profile does")
      ->check(CLI::IsMember(profiles));
  command.add_option("--rate", flags.rate, "load.rate, such as 200/s")->type_name("RATE");
  command.add_option("--users", flags.users, "load.users")->type_name("N");
  command.add_option("--duration", flags.duration, "load.duration, such as 30s")->type_name("TIME");
  command
      .add_option("--log", flags.log,
                  "load.log: a line about each request, such as requests.csv.zst")
      ->type_name("FILE");
}

bool to_overrides(const PlanFlags& flags, std::vector<plan::Override>& overrides) {
  const auto add = [&](const char* flag, const char* key, const std::string& value) {
    if (!value.empty()) overrides.push_back({key, value, flag});
  };
  add("--profile", "load.profile", flags.profile);
  add("--rate", "load.rate", flags.rate);
  add("--users", "load.users", flags.users);
  add("--duration", "load.duration", flags.duration);
  add("--log", "load.log", flags.log);
  add("--run-dir", "run_dir", flags.run_dir);
  for (const std::string& given : flags.set) {
    const size_t equals = given.find('=');
    if (equals == std::string::npos || equals == 0) {
      say("--set takes KEY=VALUE, such as --set load.rate=200/s");
      return false;
    }
    overrides.push_back({given.substr(0, equals), given.substr(equals + 1), "--set"});
  }
  return true;
}

std::string default_run_dir() {
  const char* given = std::getenv("PLUMB_RUN_DIR");
  return given != nullptr && *given != '\0' ? given : "runs";
}

bool has_place(const std::string& file, const std::string& input) {
  const auto directory = std::filesystem::path(file).parent_path();
  std::error_code error;
  if (!directory.empty() && !std::filesystem::is_directory(directory, error)) {
    say("-o " + file + ": there is no directory " + directory.string());
    return false;
  }
  const bool is_input = !input.empty() && std::filesystem::equivalent(file, input, error);
  if (!is_input && !is_database(file)) return true;
  say("-o " + file + ": " +
      (is_input ? "it is what is read" : "a run file or a database is there") +
      ", which nothing else must replace; name another file");
  return false;
}

bool write_value(const std::string& file, std::string_view text) {
  if (file.empty() || file == "-") {
    print(text);
    return true;
  }
  const Status written = write_file_atomically(file, text);
  if (!written.is_ok()) say(written.message());
  return written.is_ok();
}

}  // namespace plumb::cli
