#include "core/session/session.h"

#include <unistd.h>

#include <chrono>
#include <random>
#include <system_error>

#include "core/base/atomic_file.h"
#include "core/base/clock.h"
#include "core/base/redact.h"
#include "core/diagnose/baseline_rows.h"
#include "core/report/comparison.h"
#include "core/report/report.h"
#include "core/session/analysis.h"
#include "core/session/base.h"
#include "core/session/environment.h"
#include "core/session/fan_out.h"
#include "core/session/kept_plan.h"
#include "core/session/lazy_run_file.h"
#include "core/session/run_id.h"
#include "core/session/run_rules.h"
#include "core/store/run_file.h"

namespace plumb::session {
namespace {

using nlohmann::json;

int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// That the directory can be written is found out before the target is bothered.
Status prepare_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return Status::permission_denied("the run directory " + directory.string() +
                                     " cannot be made: " + error.message() +
                                     "; choose another with --run-dir");
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    return Status::permission_denied("the run directory " + directory.string() +
                                     " cannot be written to; choose another with --run-dir");
  return Status::ok();
}

// Passes progress on to the run file and to who asked for it.
class Observer final : public engine::EngineObserver {
 public:
  Observer(LazyRunFile& file, engine::EngineObserver* other) : file_(file), other_(other) {}
  void on_phase(std::string_view text) override {
    if (other_ != nullptr) other_->on_phase(text);
  }
  void on_stage(const StageSpan& stage) override {
    file_.on_stage(stage);
    if (other_ != nullptr) other_->on_stage(stage);
  }

 private:
  LazyRunFile& file_;
  engine::EngineObserver* other_;
};

store::RunState state_of(engine::RunEnd end) {
  switch (end) {
    case engine::RunEnd::kFinished:
      return store::RunState::kFinished;
    case engine::RunEnd::kInterrupted:
      return store::RunState::kInterrupted;
    case engine::RunEnd::kFailed:
      return store::RunState::kFailed;
  }
  return store::RunState::kFailed;
}

Result<json> report_of(const std::filesystem::path& file) {
  PLUMB_ASSIGN_OR_RETURN(const store::RunData data, store::read_run(file));
  return report::build(data);
}

void note(const Status& status, RunSummary& summary) {
  if (!status.is_ok()) summary.warnings.push_back(status.message());
}

void write_page(RunSummary& summary) {
  auto page = summary.run_file;
  page.replace_extension(".html");
  const Status written = write_file_atomically(page, report::to_html(summary.report));
  note(written, summary);
  if (written.is_ok())
    summary.html_file = page;
  else
    summary.exit_code = ExitCode::kFailed;
}

// A gate that is not there is found out before the load, and not passed after it.
Result<Base> base_of(const plan::Plan& plan) {
  if (plan.baseline.empty()) return Base();
  Result<Base> base = find_baseline(plan.run_dir, plan.name, plan.baseline);
  if (!base.is_ok()) return Status::invalid_argument(base.status().message());
  return base;
}

void keep_matrix_of(const Base& base, const json& rules, RunSummary& summary) {
  const auto rows = matrix_of_base(base, rules);
  note(rows.is_ok() ? store::put_document(summary.run_file, diagnose::kBaselineRows, *rows)
                    : rows.status(),
       summary);
}

void hold_against(const Base& base, bool html, RunSummary& summary) {
  const auto comparison = compare_files(base, summary.run_file, {});
  if (!comparison.is_ok()) {
    summary.warnings.push_back("not compared with baseline " + base.baseline + ": " +
                               comparison.status().message());
    if (summary.exit_code == ExitCode::kPassed) summary.exit_code = ExitCode::kNotValid;
    return;
  }
  summary.comparison = *comparison;
  if (summary.exit_code == ExitCode::kPassed)
    summary.exit_code = exit_code_of_comparison(*comparison);
  if (!html) return;
  auto page = summary.run_file;
  page.replace_extension(".comparison.html");
  const Status written = write_file_atomically(page, report::comparison_to_html(*comparison));
  note(written, summary);
  if (written.is_ok()) summary.comparison_file = page;
}

}  // namespace

double planned_seconds(const plan::Plan& plan) {
  const auto total = plan.load.warmup + plan.load.duration + plan.load.cooldown;
  return std::chrono::duration<double>(total).count();
}

json summary_of(const json& report) {
  static constexpr std::pair<const char*, const char*> kFigures[] = {
      {"requests.count", "requests"}, {"requests.failed", "failed"},
      {"requests.rate", "rate"},      {"requests.error_rate", "error_rate"},
      {"latency.p50", "p50_s"},       {"latency.p95", "p95_s"},
      {"latency.p99", "p99_s"}};
  json out = {{"verdict", nullptr}, {"cause", nullptr}};
  for (const auto& [fact, key] : kFigures) out[key] = nullptr;
  out["exit_code"] = static_cast<int>(exit_code_of(report));
  const json::json_pointer label("/verdict/label");
  const json::json_pointer cause("/verdict/bottleneck/cause");
  const json::json_pointer validity("/validity/status");
  if (report.contains(label)) out["verdict"] = report[label];
  if (report.contains(cause)) out["cause"] = report[cause];
  if (report.contains(validity)) out["validity"] = report[validity];
  if (!report.contains("facts") || !report["facts"].is_array()) return out;
  for (const json& fact : report["facts"]) {
    if (!fact.is_object() || !fact.contains("value")) continue;
    const bool labelled = fact.contains("labels") && !fact["labels"].empty();
    if (labelled) continue;
    for (const auto& [name, key] : kFigures)
      if (fact.value("name", "") == name) out[key] = fact["value"];
  }
  return out;
}

Result<RunSummary> run(const plan::Plan& plan, const engine::Catalog& catalog,
                       const SessionOptions& options, std::stop_token stop) {
  const std::filesystem::path directory = plan.run_dir;
  PLUMB_RETURN_IF_ERROR(prepare_directory(directory));
  PLUMB_ASSIGN_OR_RETURN(const Base base, base_of(plan));
  const RunRules rules = collect_rules(plan, catalog);
  if (!rules.problems.empty()) return Status::invalid_argument(rules.problems.front());
  RunSummary summary;
  std::random_device random;
  summary.id = options.run_id.empty()
                   ? make_run_id(unix_ms(), static_cast<uint16_t>(random() & 0xffffU))
                   : options.run_id;
  summary.run_file = directory / (summary.id + ".plumb");

  LazyRunFile file(summary.run_file, [&] {
    store::RunHeader header;
    header.id = summary.id;
    header.name = plan.name;
    header.started_unix_ms = unix_ms();
    header.started_ns = monotonic_ns();
    header.plan = kept_plan(plan);
    header.environment = describe_environment(plan, catalog);
    header.rules = rules.files;
    return header;
  });
  std::vector<SignalSink*> sinks = options.sinks;
  sinks.push_back(&file);
  FanOut fan_out(std::move(sinks), plan.secret_values);
  Observer observer(file, options.observer);
  engine::EngineOptions engine_options;
  engine_options.run_id = summary.id;
  engine_options.host_executable = options.host_executable;
  const auto log_file = plan.target.start.empty() ? std::filesystem::path()
                                                  : directory / (summary.id + ".target.log");
  engine_options.target_log = log_file;
  engine_options.log = options.log;
  engine::RunOutcome outcome =
      engine::Engine(plan, catalog, engine_options, fan_out, observer).run(stop);

  // Of a target that said nothing there is no log to keep.
  if (std::error_code error; !log_file.empty() && std::filesystem::file_size(log_file, error) == 0)
    std::filesystem::remove(log_file, error);
  const std::string said = redact(outcome.status.message(), plan.secret_values);
  if (outcome.stages.empty()) {
    file.discard();
    if (outcome.status.is_ok())
      return Status::cancelled("the run was stopped before any load was sent");
    return Status::from_code(outcome.status.code(), said);
  }
  const Status stored = file.finish(state_of(outcome.end), outcome.stages);
  note(stored, summary);
  if (!outcome.status.is_ok()) summary.warnings.push_back(said);
  summary.end = outcome.end;
  summary.plugins = std::move(outcome.plugins);
  observer.on_phase("writing the report");
  if (!base.files.empty()) keep_matrix_of(base, rules.files, summary);
  PLUMB_ASSIGN_OR_RETURN(summary.report, report_of(summary.run_file));
  // Who interrupts a run does not want to wait for words.
  const json analysis = stop.stop_requested() ? json()
                                              : analyze(plan, catalog, engine_options,
                                                        summary.report, stop, summary.warnings);
  if (!analysis.is_null()) {
    note(store::put_document(summary.run_file, "analysis", analysis), summary);
    summary.report["analysis"] = analysis;
  }
  summary.exit_code = stored.is_ok() ? exit_code_of(summary.report) : ExitCode::kFailed;
  if (!base.files.empty()) hold_against(base, options.html, summary);
  json kept = summary_of(summary.report);
  kept["exit_code"] = static_cast<int>(summary.exit_code);
  note(store::put_document(summary.run_file, kSummaryDocument, kept), summary);
  if (options.html) write_page(summary);
  return summary;
}

}  // namespace plumb::session
