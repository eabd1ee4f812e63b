// The service under test: whether it answers, and, when the plan says so, its process.
#ifndef PLUMB_CORE_ENGINE_TARGET_PROCESS_H_
#define PLUMB_CORE_ENGINE_TARGET_PROCESS_H_

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <plumb/status.hpp>
#include <stop_token>
#include <string>

#include "core/engine/child_process.h"
#include "core/plan/plan.h"

namespace plumb::engine {

// Asks the target once: GET of its health path, or a TCP connect when it has none. The error says
// what it answered. Takes `timeout` at most.
Status check_health(const plan::Target& target, std::chrono::nanoseconds timeout);

// One thread at a time.
class TargetProcess {
 public:
  // Starts target.start, its output into `log` (replaced; empty: nowhere). When something answers
  // on the target's port already, nothing is started and the error says who. The process dies with
  // the calling thread.
  static Result<std::unique_ptr<TargetProcess>> start(const plan::Target& target,
                                                      const std::filesystem::path& log);
  // Kills what still runs.
  ~TargetProcess() = default;

  pid_t pid() const { return child_.pid(); }

  // How it ended, when it has, with the last lines of its log: "the target exited with code 1:
  // ...".
  std::optional<std::string> how_it_ended();

  // SIGTERM to its group, SIGKILL after `grace`; returns when it has ended.
  void stop(std::chrono::nanoseconds grace = std::chrono::seconds(5));

 private:
  TargetProcess(ChildProcess child, std::filesystem::path log)
      : child_(std::move(child)), log_(std::move(log)) {}

  ChildProcess child_;
  std::filesystem::path log_;
};

// Asks again and again until the target is healthy. Fails after target.health_timeout, when
// `process` (may be null) ends, and with CANCELLED when `stop` is used.
Status wait_until_healthy(const plan::Target& target, TargetProcess* process,
                          const std::stop_token& stop);

// The last `lines` lines of a text file, at most 2 KiB.
std::string tail_of(const std::filesystem::path& path, size_t lines);

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_TARGET_PROCESS_H_
