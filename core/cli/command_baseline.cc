#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "core/base/json_text.h"
#include "core/cli/command.h"
#include "core/compare/baseline.h"
#include "core/compare/measures.h"
#include "core/session/run_directory.h"
#include "core/store/run_file.h"

namespace plumb::cli {
namespace {

using session::ExitCode;

struct BaselineFlags {
  std::vector<std::string> runs;
  std::string name = std::string(compare::kDefaultBaseline);
  std::string plan;
  std::string run_dir = default_run_dir();
  std::string format = "console";
};

ExitCode refuse_baseline(const Status& status) {
  say(status.message());
  const bool misuse = status.code() == PLUMB_INVALID_ARGUMENT || status.code() == PLUMB_NOT_FOUND;
  return misuse ? ExitCode::kUsage : ExitCode::kFailed;
}

std::string ids_text(const std::vector<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids) out += (out.empty() ? "" : ", ") + id;
  return out;
}

int64_t now_unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A run that nothing can be compared with would make every later comparison say nothing.
Status check_base_run(const std::filesystem::path& file) {
  PLUMB_ASSIGN_OR_RETURN(const store::RunData run, store::read_run(file));
  PLUMB_ASSIGN_OR_RETURN(const compare::RunMeasures measures, compare::measure(run));
  return measures.insufficient.empty()
             ? Status::ok()
             : Status::unsupported("no baseline: " + measures.insufficient);
}

ExitCode set_baseline(const BaselineFlags& flags) {
  if (!compare::is_baseline_name(flags.name)) {
    say("--name takes letters, digits, '.', '_' and '-'");
    return ExitCode::kUsage;
  }
  compare::Baseline baseline{
      .plan = {}, .name = flags.name, .set_unix_ms = now_unix_ms(), .runs = {}};
  std::vector<std::filesystem::path> files;
  for (const std::string& name : flags.runs) {
    const auto file = session::find_run(flags.run_dir, name);
    if (!file.is_ok()) return refuse_baseline(file.status());
    const auto run = store::read_run_header(*file);
    if (!run.is_ok()) return refuse_baseline(run.status());
    if (!baseline.runs.empty() && baseline.plan != run->header.name) {
      say("the runs of a baseline are of one plan: " + run->header.id + " is of " +
          run->header.name + ", and not of " + baseline.plan);
      return ExitCode::kUsage;
    }
    if (const Status status = check_base_run(*file); !status.is_ok()) {
      say(status.message());
      return status.code() == PLUMB_UNSUPPORTED ? ExitCode::kNotValid : ExitCode::kFailed;
    }
    if (std::find(baseline.runs.begin(), baseline.runs.end(), run->header.id) !=
        baseline.runs.end()) {
      say("run " + run->header.id + " is named twice: a baseline shows how different runs differ");
      return ExitCode::kUsage;
    }
    baseline.plan = run->header.name;
    baseline.runs.push_back(run->header.id);
    files.push_back(*file);
  }
  compare::Baselines baselines(flags.run_dir);
  const auto before = baselines.find(baseline.plan, baseline.name);
  const Status status = baselines.set(baseline, files);
  if (!status.is_ok()) {
    say(status.message());
    return ExitCode::kFailed;
  }
  say("baseline " + baseline.name + " of plan " + baseline.plan + " is " + ids_text(baseline.runs) +
      (before.is_ok() ? ", in place of " + ids_text(before->runs) : ""));
  return ExitCode::kPassed;
}

nlohmann::json baseline_json(const compare::Baseline& baseline, const std::string& run_dir) {
  nlohmann::json runs = nlohmann::json::array();
  for (const std::string& id : baseline.runs) {
    std::error_code error;
    const auto original = std::filesystem::path(run_dir) / (id + ".plumb");
    runs.push_back({{"id", id}, {"run_file_kept", std::filesystem::exists(original, error)}});
  }
  const bool whole = compare::Baselines(run_dir).files_of(baseline).is_ok();
  return {{"plan", baseline.plan},
          {"name", baseline.name},
          {"set_unix_ms", baseline.set_unix_ms},
          {"whole", whole},
          {"runs", std::move(runs)}};
}

std::string runs_cell(const nlohmann::json& baseline) {
  std::string out;
  bool gone = false;
  for (const auto& run : baseline["runs"]) {
    out += (out.empty() ? "" : " ") + run["id"].get<std::string>();
    gone = gone || !run["run_file_kept"].get<bool>();
  }
  if (!baseline["whole"].get<bool>()) return out + "  (its copy is gone: set it anew)";
  return gone ? out + "  (run file deleted, its copy is kept)" : out;
}

ExitCode show_baselines(const BaselineFlags& flags, bool by_name) {
  const auto all = compare::Baselines(flags.run_dir).list();
  if (!all.is_ok()) {
    say(all.status().message());
    return ExitCode::kFailed;
  }
  nlohmann::json shown = nlohmann::json::array();
  for (const compare::Baseline& baseline : *all) {
    const bool wanted = (!by_name || baseline.name == flags.name) &&
                        (flags.plan.empty() || baseline.plan == flags.plan);
    if (wanted) shown.push_back(baseline_json(baseline, flags.run_dir));
  }
  if (by_name && shown.empty()) {
    say("there is no baseline " + flags.name + " in " + flags.run_dir +
        ". plumb baseline list names those there are");
    return ExitCode::kUsage;
  }
  if (flags.format == "json") {
    print(json_text(shown, 2) + "\n");
    return ExitCode::kPassed;
  }
  if (shown.empty()) {
    say("there are no baselines in " + flags.run_dir + "; plumb baseline set RUN makes one");
    return ExitCode::kPassed;
  }
  std::vector<std::vector<std::string>> rows = {{"PLAN", "NAME", "RUNS"}};
  for (const auto& baseline : shown)
    rows.push_back({baseline["plan"], baseline["name"], runs_cell(baseline)});
  print(aligned(rows));
  return ExitCode::kPassed;
}

ExitCode remove_baseline(const BaselineFlags& flags) {
  compare::Baselines baselines(flags.run_dir);
  const auto all = baselines.list();
  if (!all.is_ok()) return refuse_baseline(all.status());
  std::vector<std::string> plans;
  for (const compare::Baseline& baseline : *all)
    if (baseline.name == flags.name && (flags.plan.empty() || baseline.plan == flags.plan))
      plans.push_back(baseline.plan);
  if (plans.size() != 1) {
    say(plans.empty()
            ? "there is no baseline " + flags.name + " in " + flags.run_dir
            : "more than one plan has a baseline " + flags.name + "; --plan says which is meant");
    return ExitCode::kUsage;
  }
  if (const Status status = baselines.remove(plans.front(), flags.name); !status.is_ok())
    return refuse_baseline(status);
  say("baseline " + flags.name + " of plan " + plans.front() + " is removed");
  return ExitCode::kPassed;
}

}  // namespace

void add_baseline_command(CLI::App& app, Shared& shared) {
  CLI::App* command = add_command(app, "baseline", "Keep runs that later ones are held against",
                                  "  plumb baseline set last\n"
                                  "  plumb baseline set 7f3a 81c2 91aa --name release\n"
                                  "  plumb baseline list\n"
                                  "  plumb run plan.yaml --baseline release");
  command->require_subcommand(1);
  const auto flags = std::make_shared<BaselineFlags>();
  const auto add_directory = [flags](CLI::App* to) {
    to->add_option("--run-dir", flags->run_dir, "Where runs and baselines are kept")
        ->type_name("DIR");
  };
  const auto add_plan = [flags](CLI::App* to) {
    to->add_option("--plan", flags->plan, "Of this plan")->type_name("PLAN");
  };
  const auto add_format = [flags](CLI::App* to) {
    to->add_option("--format", flags->format, "What is written to stdout")
        ->check(CLI::IsMember({"console", "json"}));
  };
  CLI::App* set = add_command(*command, "set", "Make runs the baseline of their plan",
                              "  plumb baseline set last\n"
                              "  plumb baseline set 7f3a 81c2 91aa --name release\n"
                              "\nA copy of each run file is kept, so a baseline outlives its runs. "
                              "Three or more runs\nshow how much runs of the same thing differ.");
  set->add_option("RUN", flags->runs, "A run file, a run's id, the end of its id, or last")
      ->required();
  set->add_option("--name", flags->name, "What it is called (default)")->type_name("NAME");
  add_directory(set);
  set->callback([flags, &shared] { shared.exit_code = set_baseline(*flags); });
  CLI::App* list = add_command(*command, "list", "List all baselines", "  plumb baseline list");
  add_plan(list);
  add_format(list);
  add_directory(list);
  list->callback([flags, &shared] { shared.exit_code = show_baselines(*flags, false); });
  CLI::App* show =
      add_command(*command, "show", "Show a baseline and its runs",
                  "  plumb baseline show\n  plumb baseline show release --format json");
  show->add_option("NAME", flags->name, "The baseline (default)");
  add_plan(show);
  add_format(show);
  add_directory(show);
  show->callback([flags, &shared] { shared.exit_code = show_baselines(*flags, true); });
  CLI::App* remove = add_command(*command, "remove", "Remove a baseline; its runs stay",
                                 "  plumb baseline remove release");
  remove->add_option("NAME", flags->name, "The baseline (default)");
  add_plan(remove);
  add_directory(remove);
  remove->callback([flags, &shared] { shared.exit_code = remove_baseline(*flags); });
}

}  // namespace plumb::cli
