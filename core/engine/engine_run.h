// One run of the engine, from its first process to its last. Internal to the engine.
#ifndef PLUMB_CORE_ENGINE_ENGINE_RUN_H_
#define PLUMB_CORE_ENGINE_ENGINE_RUN_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "core/engine/engine.h"
#include "core/engine/plugin_process.h"
#include "core/engine/series_ids.h"
#include "core/engine/target_process.h"

namespace plumb::engine {

// What a plugin may take to stop.
inline constexpr std::chrono::nanoseconds kStopTime = std::chrono::seconds(5);
// A target that plumb did not start is expected to be there.
inline constexpr std::chrono::nanoseconds kForeignTargetTime = std::chrono::milliseconds(700);

// What a plugin of the plan is configured with.
struct InstancePlan {
  const CatalogEntry* entry = nullptr;
  nlohmann::json values = nlohmann::json::object();
  std::chrono::nanoseconds interval{0};  // samplers
  double cpu_budget = 0;                 // samplers: of one processor; 0: none
};

// Finds `name` in the catalog and checks its role. The `interval` that every sampler takes is taken
// out of `options`, unless the plugin declares an option of that name.
Result<InstancePlan> plan_instance(const Catalog& catalog, const std::string& name,
                                   const nlohmann::json& options);

// The stages of a load from `start_ns` on; those without duration are left out.
std::vector<StageSpan> plan_stages(const plan::Load& load, int64_t start_ns);

// Everything of an instance but its plan.
PluginSpec plugin_spec(const InstancePlan& instance, const plan::Plan& plan,
                       const EngineOptions& options, const std::filesystem::path& host);

class EngineRun {
 public:
  EngineRun(const plan::Plan& plan, const Catalog& catalog, const EngineOptions& options,
            SignalSink& sink, EngineObserver& observer, std::stop_token stop);

  RunOutcome go();

 private:
  struct Member {
    InstancePlan plan;
    std::unique_ptr<PluginProcess> process;
    uint32_t role() const { return plan.entry->manifest.role; }
  };
  static bool is_analyzer(const Member& member) { return member.role() == PLUMB_ROLE_ANALYZER; }

  // Everything before the first stage; not ok when the run cannot begin.
  Status prepare();
  Status resolve();
  Status spawn_all();
  Status configure_all();
  Status configure(Member& member);
  Status dismiss_analyzers();
  Status start_target();
  Status start_all();

  // The stages. Returns when the load has ended, however it did.
  void drive();
  void enter(const StageSpan& stage);
  // Waits until `until_ns`, the end of the load, or the stop token, whichever is first.
  void wait_in_stage(int64_t until_ns, bool loaded);
  void end_load();
  bool close_stages(int64_t now_ns);
  void judge_load();

  void finish();
  RunOutcome outcome() const;

  // Calls `act` for every member that `wanted` takes, each on a thread of its own; the first
  // failure in the order of the plan.
  Status for_each(const std::function<bool(const Member&)>& wanted,
                  const std::function<Status(Member&)>& act);
  bool load_is_over() const;
  bool wait(int64_t until_ns, const std::function<bool()>& done) PLUMB_EXCLUDES(mutex_);
  void wake() PLUMB_EXCLUDES(mutex_);
  void emit_event(uint32_t level, const std::string& kind, const std::string& message);
  void note_target_end();
  void emit_own_cost(int64_t now_ns);

  const plan::Plan& plan_;
  const Catalog& catalog_;
  const EngineOptions& options_;
  SignalSink& sink_;
  EngineObserver& observer_;
  std::stop_token stop_;

  // Outlives the members, whose readers use it.
  Mutex mutex_;
  CondVar changed_;
  uint64_t changes_ PLUMB_GUARDED_BY(mutex_) = 0;

  SeriesIds ids_;
  SelfSeries self_;
  int64_t next_own_cost_ns_ = 0;
  std::unique_ptr<TargetProcess> target_;
  bool target_end_told_ = false;
  std::vector<Member> members_;  // the load driver first
  std::vector<StageSpan> planned_;
  std::vector<StageSpan> happened_;
  RunEnd end_ = RunEnd::kFinished;
  Status status_;
};

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_ENGINE_RUN_H_
