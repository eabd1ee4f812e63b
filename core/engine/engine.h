// Runs a plan: one plumb-host process per plugin, the target, the stages, and an end that is
// orderly whatever fails.
#ifndef PLUMB_CORE_ENGINE_ENGINE_H_
#define PLUMB_CORE_ENGINE_ENGINE_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <plumb/status.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/catalog.h"
#include "core/plan/plan.h"
#include "core/signal/signal.h"

namespace plumb::engine {

// What the engine is given besides the plan.
struct EngineOptions {
  std::string run_id;
  // The plumb-host to start; empty: find_host_executable().
  std::filesystem::path host_executable;
  // Where the output of a target that plumb starts goes; empty: nowhere.
  std::filesystem::path target_log;
  // What plugins and the engine say beside signals, secrets taken out; may be called on any thread.
  std::function<void(uint32_t level, const std::string& message)> log;
};

// Told of the run's progress, on the thread that runs it. Must not block.
class EngineObserver {
 public:
  virtual ~EngineObserver() = default;
  // What the engine does now, for people: "starting the target", "stopping the plugins".
  virtual void on_phase(std::string_view text) = 0;
  // A stage has begun; its end is the planned one. How it really went is in the outcome.
  virtual void on_stage(const StageSpan& stage) = 0;
};

enum class RunEnd {
  kFinished,     // all stages ran
  kInterrupted,  // the stop token was used; what was seen until then is there
  kFailed        // status says why; stages is empty when no load was sent
};

struct PluginOutcome {
  std::string plugin;
  uint32_t role = 0;                  // enum plumb_role
  uint32_t health = PLUMB_HEALTH_OK;  // enum plumb_health, at the end
  std::string message;                // of that health
  int64_t since_ns = 0;               // when it became so; 0 when it was OK throughout
};

struct RunOutcome {
  RunEnd end = RunEnd::kFailed;
  Status status;                  // not ok only for kFailed
  std::vector<StageSpan> stages;  // as they really happened
  std::vector<PluginOutcome> plugins;
};

// Runs once. Signals go to `sink` from several threads until run() returns; nothing afterwards.
class Engine {
 public:
  // All references must outlive the engine.
  Engine(const plan::Plan& plan, const Catalog& catalog, EngineOptions options, SignalSink& sink,
         EngineObserver& observer);

  // Blocks until the run is over and every process it started has ended. A plugin that cannot be
  // configured or started fails the run before any load; one that fails later goes dark and the run
  // goes on, unless it is the one that makes the load.
  //
  // Must be called on a thread that lives until it returns: the kernel ends the processes with it.
  RunOutcome run(std::stop_token stop);

 private:
  const plan::Plan& plan_;
  const Catalog& catalog_;
  EngineOptions options_;
  SignalSink& sink_;
  EngineObserver& observer_;
};

// plumb-host beside this executable, or in ../libexec/plumb; NOT_FOUND says where was looked.
Result<std::filesystem::path> find_host_executable();

// The plumb-host that `options` name, or find_host_executable().
Result<std::filesystem::path> host_executable_of(const EngineOptions& options);

// Runs the analyzer `use` of the plan on `json` and gives back its JSON. Blocks until the answer,
// the deadline (as a duration from now) or `stop`; the process has ended when it returns.
Result<std::string> run_analyzer(const plan::Plan& plan, const plan::PluginUse& use,
                                 const Catalog& catalog, const EngineOptions& options,
                                 std::string_view json, std::chrono::nanoseconds deadline,
                                 std::stop_token stop);

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_ENGINE_H_
