// The commands of plumb. Each adds itself to the tree; the one that was given runs when the command
// line has been parsed, and leaves its exit code.
#ifndef PLUMB_CORE_CLI_COMMAND_H_
#define PLUMB_CORE_CLI_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/cli/terminal.h"
#include "core/plan/load_plan.h"
#include "core/session/exit_code.h"

namespace plumb::cli {

// What all commands share; outlives the tree.
struct Shared {
  std::string color = "auto";
  session::ExitCode exit_code = session::ExitCode::kPassed;

  Terminal terminal() const;
};

void add_run_command(CLI::App& app, Shared& shared);
void add_capacity_command(CLI::App& app, Shared& shared);
void add_report_command(CLI::App& app, Shared& shared);
void add_import_command(CLI::App& app, Shared& shared);
void add_explain_command(CLI::App& app, Shared& shared);
void add_runs_command(CLI::App& app, Shared& shared);
void add_compare_command(CLI::App& app, Shared& shared);
void add_baseline_command(CLI::App& app, Shared& shared);
void add_trend_command(CLI::App& app, Shared& shared);
void add_validate_command(CLI::App& app, Shared& shared);
void add_init_command(CLI::App& app, Shared& shared);
void add_plugin_command(CLI::App& app, Shared& shared);
void add_doctor_command(CLI::App& app, Shared& shared);
// version, completion, and docs, which is hidden.
void add_small_commands(CLI::App& app, Shared& shared);

// A subcommand with examples below its help.
CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& description,
                      const std::string& examples);

// The flags that give values to a plan's keys; the storage outlives the parse.
struct PlanFlags {
  std::vector<std::string> set;
  std::string profile;
  std::string rate;
  std::string users;
  std::string duration;
  std::string log;
  std::string run_dir;
};
// --set alone.
void add_set_flag(CLI::App& command, PlanFlags& flags);
// --set and --profile, --rate, --users, --duration.
void add_plan_flags(CLI::App& command, PlanFlags& flags);
// Nothing when a --set has no equals sign; then a sentence was said.
bool to_overrides(const PlanFlags& flags, std::vector<plan::Override>& overrides);

// Where runs are kept unless a flag says: PLUMB_RUN_DIR, or runs.
std::string default_run_dir();

// Whether `file`, of -o, can have a place; false, said, when its directory is not there, or when
// there is what a report must not replace: a run file, or what the command reads (`input`). Asked
// before the work: afterwards its figures would have nowhere to go.
bool has_place(const std::string& file, const std::string& input = "");

// Writes a value to `file`, or to stdout when it is empty or "-". False, said, when it cannot.
bool write_value(const std::string& file, std::string_view text);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_COMMAND_H_
