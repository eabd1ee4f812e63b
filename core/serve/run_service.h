// Runs as the API sees them: one at a time, started, watched and stopped.
#ifndef PLUMB_CORE_SERVE_RUN_SERVICE_H_
#define PLUMB_CORE_SERVE_RUN_SERVICE_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/status.hpp>
#include <string>

#include "core/plan/plan.h"
#include "core/serve/event_log.h"
#include "core/store/run_file.h"

namespace plumb::serve {

// A run that goes on now.
struct LiveRun {
  std::string id;
  std::string name;
  int64_t started_unix_ms = 0;
  bool stopping = false;  // was asked to
  // {"phase", "stage", "stage_elapsed_s", "stage_s", "left_s", "requests", "failed",
  //  "requests_per_second", "response_seconds": {"p50", "p95", "p99"}, ...}: what is known, absent
  // where nothing is.
  nlohmann::json numbers = nlohmann::json::object();
};

// How a run of this process ended.
struct EndedRun {
  store::RunState state = store::RunState::kFailed;
  std::string message;  // why, when it failed
};

// Safe to use from several threads.
class RunService {
 public:
  virtual ~RunService() = default;

  // Starts the plan on a thread of its own and gives its id; RESOURCE_EXHAUSTED while one runs.
  virtual Result<std::string> start(plan::Plan plan) = 0;
  virtual std::optional<LiveRun> live() const = 0;
  // Asks the run to end early, with its report. NOT_FOUND when no run of that id goes on.
  virtual Status stop(const std::string& id) = 0;
  // Of a recent run of this process.
  virtual std::optional<EndedRun> ended(const std::string& id) const = 0;
  // The events of a run of this process, as long as they are remembered; otherwise nullptr.
  // Shared, since streams read it after its run has been forgotten.
  virtual std::shared_ptr<EventLog> events(const std::string& id) const = 0;
  // How many runs of this process have ended in each state.
  virtual std::map<store::RunState, uint64_t> totals() const = 0;
  // Takes no more runs, ends the one that goes on and waits for it. False when it has not ended by
  // `deadline`.
  virtual bool shut_down(std::chrono::steady_clock::time_point deadline) = 0;
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_RUN_SERVICE_H_
