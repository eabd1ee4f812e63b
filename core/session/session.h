// One run from a checked plan to its report: engine, run file, diagnosis. What the command line and
// the daemon have in common.
#ifndef PLUMB_CORE_SESSION_SESSION_H_
#define PLUMB_CORE_SESSION_SESSION_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/catalog.h"
#include "core/engine/engine.h"
#include "core/plan/plan.h"
#include "core/session/exit_code.h"
#include "core/signal/signal.h"

namespace plumb::session {

struct SessionOptions {
  std::string run_id = {};                     // empty: made from the clock
  std::filesystem::path host_executable = {};  // empty: found beside this program
  bool html = true;                            // write <id>.html beside the run file
  // Told of every signal and of the run's progress besides the run file; must outlive run().
  std::vector<SignalSink*> sinks = {};
  engine::EngineObserver* observer = nullptr;
  std::function<void(uint32_t level, const std::string& message)> log = {};
};

struct RunSummary {
  std::string id;
  std::filesystem::path run_file;
  std::filesystem::path html_file;  // empty: not asked for, or it could not be written
  nlohmann::json report;            // report.json
  nlohmann::json comparison;        // with the plan's baseline (core/report/comparison.h), or null
  std::filesystem::path comparison_file;  // its page, or empty
  ExitCode exit_code = ExitCode::kPassed;
  engine::RunEnd end = engine::RunEnd::kFinished;
  std::vector<engine::PluginOutcome> plugins;
  std::vector<std::string> warnings;  // what went wrong beside the run, such as a full disk
};

// Blocks until the run is over. `stop` ends it early but orderly, and the report tells of what was
// seen, and the run is held against the plan's baseline: what it failed by itself stands, else the
// exit code is the comparison's. Fails, and leaves no run file, when no load was sent: the target
// does not answer, a plugin cannot be configured, the baseline is not there, the directory cannot
// be written. The message holds no secret.
//
// Must be called on a thread that lives until it returns.
Result<RunSummary> run(const plan::Plan& plan, const engine::Catalog& catalog,
                       const SessionOptions& options, std::stop_token stop);

// How long all stages of the plan take together, in seconds.
double planned_seconds(const plan::Plan& plan);

// The key under which a run file keeps {"verdict", "cause", "validity", "exit_code", "requests",
// "failed", "rate", "error_rate", "p50_s", "p95_s", "p99_s"}, so that lists of runs need no
// diagnosis.
inline constexpr const char* kSummaryDocument = "summary";
nlohmann::json summary_of(const nlohmann::json& report);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_SESSION_H_
