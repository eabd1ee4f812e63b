#include "core/engine/engine_run.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/engine/load_document.h"

namespace plumb::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Between the decision to begin and the first stage, so that every process is ready for it.
constexpr nanoseconds kLead = milliseconds(300);
// How often a wait looks at what wakes nobody: the target's process.
constexpr nanoseconds kLook = milliseconds(400);
constexpr nanoseconds kOwnCostInterval = seconds(2);
// What a load may take to return after its last stage, beyond one request's timeout, and after an
// interrupt.
constexpr nanoseconds kDriveGrace = seconds(5);
constexpr nanoseconds kInterruptGrace = seconds(3);
// Samplers see the end of the load for one more interval, but no longer than this.
constexpr nanoseconds kLongestAfterglow = milliseconds(1'200);
constexpr nanoseconds kLeastInterval = milliseconds(10);
constexpr nanoseconds kUsualInterval = seconds(1);
// A load that returns this much before its last stage ends has ended early.
constexpr nanoseconds kEarly = milliseconds(200);

int64_t after(nanoseconds duration) { return monotonic_ns() + duration.count(); }

}  // namespace

Result<InstancePlan> plan_instance(const Catalog& catalog, const std::string& name,
                                   const nlohmann::json& options) {
  InstancePlan out;
  PLUMB_ASSIGN_OR_RETURN(out.entry, catalog.find(name));
  const host::Manifest& manifest = out.entry->manifest;
  out.values = options;
  out.interval = nanoseconds(manifest.default_interval_ns);
  if (const auto it = out.values.find("interval"); it != out.values.end()) {
    const bool declared = manifest.option("interval") != nullptr;
    if (it->is_number_integer()) {
      out.interval = nanoseconds(it->get<int64_t>());
    } else if (!declared) {
      return Status::invalid_argument("plugin " + name + ": interval is no duration");
    }
    if (!declared) out.values.erase(it);
  }
  if (out.interval <= nanoseconds(0)) out.interval = kUsualInterval;
  out.interval = std::max(out.interval, kLeastInterval);
  return out;
}

std::vector<StageSpan> plan_stages(const plan::Load& load, int64_t start_ns) {
  std::vector<StageSpan> out;
  const auto add = [&](uint32_t kind, const char* name, nanoseconds duration) {
    if (duration <= nanoseconds(0)) return;
    out.push_back({kind, name, start_ns, start_ns + duration.count()});
    start_ns += duration.count();
  };
  for (const plan::LoadStage& stage : load.stages)
    add(stage.kind, stage.name.c_str(), stage.duration);
  if (load.stages.empty()) {
    add(PLUMB_STAGE_WARMUP, "warm-up", load.warmup);
    add(PLUMB_STAGE_STEADY, "steady", load.duration);
  }
  add(PLUMB_STAGE_COOLDOWN, "cool-down", load.cooldown);
  return out;
}

PluginSpec plugin_spec(const InstancePlan& instance, const plan::Plan& plan,
                       const EngineOptions& options, const std::filesystem::path& host) {
  PluginSpec out;
  out.name = instance.entry->manifest.name;
  out.library = instance.entry->library;
  out.host_executable = host;
  out.secrets = plan.secret_values;
  out.log = options.log;
  return out;
}

EngineRun::EngineRun(const plan::Plan& plan, const Catalog& catalog, const EngineOptions& options,
                     SignalSink& sink, EngineObserver& observer, std::stop_token stop)
    : plan_(plan),
      catalog_(catalog),
      options_(options),
      sink_(sink),
      observer_(observer),
      stop_(std::move(stop)),
      self_("plumb", sink, ids_) {}

RunOutcome EngineRun::go() {
  const std::stop_callback on_stop(stop_, [this] { wake(); });
  status_ = prepare();
  if (stop_.stop_requested()) {
    end_ = RunEnd::kInterrupted;
    status_ = Status::ok();
  } else if (!status_.is_ok()) {
    end_ = RunEnd::kFailed;
  } else {
    drive();
  }
  finish();
  return outcome();
}

// ---- Before the first stage ----

Status EngineRun::prepare() {
  PLUMB_RETURN_IF_ERROR(resolve());
  observer_.on_phase("starting the plugins");
  PLUMB_RETURN_IF_ERROR(spawn_all());
  {
    // Until the load runs, an interruption ends everything at once.
    const std::stop_callback on_stop(stop_, [this] {
      for (const Member& member : members_) member.process->kill();
    });
    PLUMB_RETURN_IF_ERROR(configure_all());
    PLUMB_RETURN_IF_ERROR(dismiss_analyzers());
    PLUMB_RETURN_IF_ERROR(start_target());
    PLUMB_RETURN_IF_ERROR(start_all());
  }
  std::erase_if(members_, is_analyzer);
  return Status::ok();
}

Status EngineRun::resolve() {
  PLUMB_ASSIGN_OR_RETURN(InstancePlan load,
                         plan_instance(catalog_, plan_.load.plugin, plan_.load.plugin_options));
  if (load.entry->manifest.role != PLUMB_ROLE_LOAD) {
    return Status::invalid_argument("load.plugin: " + plan_.load.plugin + " is a " +
                                    std::string(role_name(load.entry->manifest.role)) +
                                    " and makes no load");
  }
  members_.push_back({std::move(load), nullptr});
  for (const plan::PluginUse& use : plan_.plugins) {
    PLUMB_ASSIGN_OR_RETURN(InstancePlan instance, plan_instance(catalog_, use.name, use.options));
    if (instance.entry->manifest.role == PLUMB_ROLE_LOAD) {
      return Status::invalid_argument("plugins: " + use.name +
                                      " makes load: name it under load.plugin");
    }
    if (use.interval > nanoseconds(0)) instance.interval = std::max(use.interval, kLeastInterval);
    instance.cpu_budget = use.cpu_budget;
    members_.push_back({std::move(instance), nullptr});
  }
  return Status::ok();
}

Status EngineRun::spawn_all() {
  PLUMB_ASSIGN_OR_RETURN(const std::filesystem::path host, host_executable_of(options_));
  for (Member& member : members_) {
    PluginSpec spec = plugin_spec(member.plan, plan_, options_, host);
    spec.on_change = [this] { wake(); };
    PLUMB_ASSIGN_OR_RETURN(member.process, PluginProcess::spawn(std::move(spec), sink_, ids_));
  }
  return Status::ok();
}

Status EngineRun::configure_all() {
  return for_each([](const Member&) { return true; },
                  [this](Member& member) { return configure(member); });
}

Status EngineRun::configure(Member& member) {
  const Status status = member.process->configure(
      member.plan.values,
      configure_document(plan_, options_.run_id, member.role(), member.plan.values));
  // What a sampler cannot reach now may be there later, and the load can do without it.
  if (member.role() != PLUMB_ROLE_SAMPLER || status.code() != PLUMB_UNAVAILABLE) return status;
  return Status::unavailable(status.message() + " (or leave " + member.plan.entry->manifest.name +
                             " out of the plan's plugins, to run without it)");
}

// An analyzer has shown that it can be configured; it is run when there is something to analyze.
Status EngineRun::dismiss_analyzers() {
  return for_each(is_analyzer, [](Member& member) { return member.process->stop(kStopTime); });
}

Status EngineRun::start_target() {
  plan::Target target = plan_.target;
  if (target.start.empty()) {
    target.health_timeout = std::min(target.health_timeout, kForeignTargetTime);
    observer_.on_phase("checking the target");
    return wait_until_healthy(target, nullptr, stop_);
  }
  observer_.on_phase("starting the target");
  PLUMB_ASSIGN_OR_RETURN(target_, TargetProcess::start(target, options_.target_log));
  return wait_until_healthy(target, target_.get(), stop_);
}

Status EngineRun::start_all() {
  observer_.on_phase("connecting the plugins");
  PLUMB_RETURN_IF_ERROR(for_each([](const Member& member) { return !is_analyzer(member); },
                                 [](Member& member) { return member.process->start(); }));
  for (const Member& member : members_) {
    if (member.role() == PLUMB_ROLE_SAMPLER)
      member.process->begin_sampling(member.plan.interval, member.plan.cpu_budget);
  }
  return Status::ok();
}

// ---- The stages ----

void EngineRun::drive() {
  observer_.on_phase("running");
  planned_ = plan_stages(plan_.load, after(kLead));
  members_.front().process->drive(planned_);
  for (const StageSpan& stage : planned_) {
    const bool loaded = stage.kind != PLUMB_STAGE_COOLDOWN;
    wait_in_stage(stage.start_ns, loaded);
    if (stop_.stop_requested() || (loaded && load_is_over())) break;
    enter(stage);
    wait_in_stage(stage.end_ns, loaded);
    const bool ended_early = monotonic_ns() + kEarly.count() < stage.end_ns;
    if (ended_early) break;
  }
  const int64_t now = monotonic_ns();
  if (stop_.stop_requested()) {
    end_ = RunEnd::kInterrupted;
    emit_event(PLUMB_WARNING, "run-interrupted", "the run was interrupted; it ends here");
  }
  const bool closed = close_stages(now);
  end_load();
  judge_load();
  nanoseconds afterglow{0};
  for (const Member& member : members_) {
    if (member.role() == PLUMB_ROLE_SAMPLER) afterglow = std::max(afterglow, member.plan.interval);
  }
  wait(after(std::min(afterglow, kLongestAfterglow)), [] { return false; });
  if (closed) happened_.back().end_ns = std::min(happened_.back().end_ns, monotonic_ns());
}

void EngineRun::enter(const StageSpan& stage) {
  happened_.push_back(stage);
  for (const Member& member : members_) {
    if (member.role() == PLUMB_ROLE_SAMPLER) member.process->stage(stage);
  }
  observer_.on_stage(stage);
}

void EngineRun::wait_in_stage(int64_t until_ns, bool loaded) {
  wait(until_ns, [=, this] { return stop_.stop_requested() || (loaded && load_is_over()); });
}

bool EngineRun::load_is_over() const {
  return members_.front().process->drive_outcome().has_value();
}

// Cuts the present stage off at `now_ns`, if it has not run to its end, and lets samplers know that
// it is over where no planned stage does: what they bracket must not reach past the load. True when
// it added such a stage.
bool EngineRun::close_stages(int64_t now_ns) {
  if (happened_.empty()) return false;
  StageSpan& last = happened_.back();
  last.end_ns = std::min(last.end_ns, std::max(now_ns, last.start_ns));
  if (last.kind == PLUMB_STAGE_COOLDOWN) return false;
  enter({PLUMB_STAGE_COOLDOWN, "cool-down", last.end_ns, last.end_ns + kLongestAfterglow.count()});
  return true;
}

void EngineRun::end_load() {
  PluginProcess& load = *members_.front().process;
  const auto over = [this] { return load_is_over(); };
  bool ended = over();
  if (!ended && end_ != RunEnd::kInterrupted) {
    ended = wait(after(plan_.load.timeout + kDriveGrace),
                 [this] { return stop_.stop_requested() || load_is_over(); }) &&
            over();
  }
  if (!ended) {
    load.interrupt();
    wait(after(kInterruptGrace), over);
  }
  // One that still drives is killed by its stop, and goes dark with the reason.
  if (const Status status = load.stop(kStopTime); !status.is_ok() && options_.log) {
    options_.log(PLUMB_WARNING, "stopping the load: " + status.message());
  }
}

void EngineRun::judge_load() {
  if (end_ == RunEnd::kInterrupted) return;
  const std::optional<Status> result = members_.front().process->drive_outcome();
  if (result && !result->is_ok()) {
    end_ = RunEnd::kFailed;
    status_ = result->with_context("the load ended before its time");
    return;
  }
  int64_t seen = 0;
  for (const StageSpan& stage : happened_) {
    if (stage.kind != PLUMB_STAGE_WARMUP && stage.kind != PLUMB_STAGE_COOLDOWN)
      seen += stage.end_ns - stage.start_ns;
  }
  if (seen + kEarly.count() < plan_.load.duration.count()) {
    emit_event(PLUMB_WARNING, "load-ended-early",
               "the load driver returned before the end of its stages");
  }
}

// ---- The end ----

void EngineRun::finish() {
  observer_.on_phase("stopping the plugins");
  const Status stopped = for_each([](const Member& member) { return member.process != nullptr; },
                                  [](Member& member) { return member.process->stop(kStopTime); });
  if (!stopped.is_ok() && options_.log) options_.log(PLUMB_WARNING, stopped.message());
  if (target_ == nullptr) return;
  observer_.on_phase("stopping the target");
  note_target_end();
  target_->stop();
}

RunOutcome EngineRun::outcome() const {
  RunOutcome out;
  out.end = end_;
  out.status = status_;
  out.stages = happened_;
  for (const Member& member : members_) {
    if (member.process == nullptr) continue;
    const PluginHealth health = member.process->health();
    out.plugins.push_back(
        {member.process->name(), member.role(), health.health, health.message, health.since_ns});
  }
  return out;
}

// ---- Waiting ----

Status EngineRun::for_each(const std::function<bool(const Member&)>& wanted,
                           const std::function<Status(Member&)>& act) {
  std::vector<Status> results(members_.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < members_.size(); ++i) {
    if (!wanted(members_[i])) continue;
    threads.emplace_back([&, i] { results[i] = act(members_[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  for (Status& result : results) {
    if (!result.is_ok()) return std::move(result);
  }
  return Status::ok();
}

bool EngineRun::wait(int64_t until_ns, const std::function<bool()>& done) {
  while (true) {
    uint64_t seen = 0;
    {
      const MutexLock lock(mutex_);
      seen = changes_;
    }
    // Outside the lock: it asks the plugins, whose readers call wake().
    if (done()) return true;
    const int64_t now = monotonic_ns();
    if (now >= until_ns) return false;
    note_target_end();
    emit_own_cost(now);
    const MutexLock lock(mutex_);
    const int64_t look = std::min(until_ns, now + kLook.count());
    while (changes_ == seen && changed_.wait_until(mutex_, time_point_of(look))) {
    }
  }
}

void EngineRun::wake() {
  const MutexLock lock(mutex_);
  ++changes_;
  changed_.notify_all();
}

void EngineRun::emit_event(uint32_t level, const std::string& kind, const std::string& message) {
  sink_.on_event({"engine", monotonic_ns(), level, kind, message});
}

void EngineRun::emit_own_cost(int64_t now_ns) {
  if (now_ns < next_own_cost_ns_) return;
  next_own_cost_ns_ = now_ns + kOwnCostInterval.count();
  if (const auto cpu = read_cpu_seconds(::getpid(), "/proc")) self_.emit_cpu(*cpu, now_ns);
  if (const auto bytes = read_memory_bytes(::getpid(), "/proc")) self_.emit_memory(*bytes, now_ns);
}

void EngineRun::note_target_end() {
  if (target_ == nullptr || target_end_told_) return;
  const std::optional<std::string> end = target_->how_it_ended();
  if (!end) return;
  target_end_told_ = true;
  emit_event(PLUMB_ERROR, "target-ended", *end);
}

}  // namespace plumb::engine
