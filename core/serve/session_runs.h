// Runs of this process: one plumb::session at a time, on a thread of its own, told as events.
#ifndef PLUMB_CORE_SERVE_SESSION_RUNS_H_
#define PLUMB_CORE_SERVE_SESSION_RUNS_H_

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/base/mutex.h"
#include "core/serve/run_service.h"
#include "core/session/session.h"

namespace plumb::serve {

class SessionRuns final : public RunService {
 public:
  // session::run with what does not change from run to run already given.
  using Runner = std::function<Result<session::RunSummary>(
      const plan::Plan& plan, const session::SessionOptions& options, std::stop_token stop)>;
  // Told when a run begins and ends, on any thread.
  using Log = std::function<void(uint32_t level, const std::string& message)>;

  explicit SessionRuns(Runner runner, Log log = {},
                       std::chrono::milliseconds progress_interval = std::chrono::seconds(1));
  // Ends the run that goes on, and waits for it.
  ~SessionRuns() override;
  SessionRuns(const SessionRuns&) = delete;
  SessionRuns& operator=(const SessionRuns&) = delete;

  Result<std::string> start(plan::Plan plan) override;
  std::optional<LiveRun> live() const override;
  Status stop(const std::string& id) override;
  std::optional<EndedRun> ended(const std::string& id) const override;
  std::shared_ptr<EventLog> events(const std::string& id) const override;
  std::map<store::RunState, uint64_t> totals() const override;
  bool shut_down(std::chrono::steady_clock::time_point deadline) override;

 private:
  struct Run;
  struct Past {
    std::string id;
    EndedRun end;
    std::shared_ptr<EventLog> log;
  };

  void execute(Run& run);
  // Puts the run among those that are over, then tells its end.
  void conclude(Run& run, EndedRun end, const nlohmann::json& told);
  void tell_progress(Run& run);
  void say(uint32_t level, const std::string& message) const;

  const Runner runner_;
  const Log log_;
  const std::chrono::milliseconds progress_interval_;

  Mutex start_mutex_;  // one start at a time; taken before mutex_
  mutable Mutex mutex_;
  CondVar over_;
  bool closed_ PLUMB_GUARDED_BY(mutex_) = false;
  bool telling_ PLUMB_GUARDED_BY(mutex_) = false;  // a run has ended, and its event is not out yet
  // Shared with whoever looks at it while it ends.
  std::shared_ptr<Run> current_ PLUMB_GUARDED_BY(mutex_);
  std::deque<Past> past_ PLUMB_GUARDED_BY(mutex_);  // newest last
  std::map<store::RunState, uint64_t> totals_ PLUMB_GUARDED_BY(mutex_);
  std::thread thread_ PLUMB_GUARDED_BY(start_mutex_);
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_SESSION_RUNS_H_
