#include "plugins/host_metrics/host_metrics.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace plumb::host_metrics {

using proc::Pid;

namespace {

constexpr int64_t kSecond = 1'000'000'000;
// A tick this close to the second's end belongs to it: timers wake a little early or late.
constexpr int64_t kTolerance = 20'000'000;
// Between two looks while the target does nothing that passes quickly, or there is none: with
// connections to others, and without. Each is longer by a part drawn anew, and neither keeps to
// whole seconds: what wakes four times a second would else be met always or never.
constexpr int64_t kQuietPause = 200'000'000;
constexpr int64_t kStillPause = 500'000'000;
constexpr int64_t kDrawnStep = 100'000'000;
constexpr int64_t kQuietSteps = 3;
constexpr int64_t kStillSteps = 5;
constexpr int kHostTableEvery = 10;   // seconds
constexpr int kTablesEvery = 30;      // seconds; they are dear and for the end
constexpr int kSurveyEvery = 5;       // seconds, without a target
constexpr int kFindAgainEvery = 10;   // seconds, while no process comes or goes
constexpr int kSearchNamesEvery = 5;  // seconds, while the target is not found

HostMetrics::Sources kernel_sources() {
  return {proc::Root{}, make_kernel_sockets(), std::make_unique<KernelDelays>(),
          ClockWatch::system_offset, ::getpid()};
}

}  // namespace

HostMetrics::HostMetrics(Host host) : HostMetrics(host, kernel_sources()) {}

HostMetrics::HostMetrics(Host host, Sources sources)
    : Sampler(host),
      root_(sources.root),
      self_(sources.self),
      outlet_(host),
      source_(std::move(sources.sockets)),
      machine_(root_),
      network_(root_, *source_),
      clock_(std::move(sources.clock_offset)),
      processes_(root_),
      usage_(root_, std::move(sources.delays)),
      memory_(root_),
      cgroup_(root_),
      sockets_(root_, *source_, self_),
      survey_(root_),
      table_(root_),
      target_table_(root_) {}

Status HostMetrics::configure(const Config& config) {
  PLUMB_ASSIGN_OR_RETURN(selector_, proc::selector_from_document(config.document()));
  if (!selector_.empty()) finder_.emplace(root_, selector_);
  return Status::ok();
}

Status HostMetrics::start() {
  machine_rows_ = describe_machine(root_);
  const int64_t now = host().now_ns();
  PLUMB_RETURN_IF_ERROR(processes_.refresh(true));
  last_look_ns_ = now;
  second(now);
  begin_tables(now);
  next_second_ns_ = now + kSecond;
  return Status::ok();
}

Status HostMetrics::collect() {
  const int64_t now = host().now_ns();
  const bool second_over = now + kTolerance >= next_second_ns_;
  const bool look_due = now + kTolerance >= next_look_ns_;
  if (look_due) {
    tick(now);
  } else if (second_over) {
    machine_.watch_tasks();
  }
  if (second_over) {
    second(now);
    next_second_ns_ += kSecond;
    if (next_second_ns_ <= now) next_second_ns_ = now + kSecond;
  }
  if (look_due) next_look_ns_ = pause_until(now);
  host().rest_until(std::min(next_look_ns_, next_second_ns_) - kTolerance);
  return Status::ok();
}

Status HostMetrics::stage(const Stage& stage) {
  const int64_t now = host().now_ns();
  usage_.read_all();
  survey_next_ = true;
  stay_attentive(now);
  next_look_ns_ = now;
  if (stage.kind == PLUMB_STAGE_STEADY) {
    if (processes_.refresh(true)) begin_tables(now);
    tables_frozen_ = false;
  } else if (stage.kind == PLUMB_STAGE_COOLDOWN && !tables_frozen_) {
    // The tables keep what the steady stage showed.
    if (processes_.refresh(true)) send_tables(now);
    tables_frozen_ = true;
  }
  return Status::ok();
}

Status HostMetrics::stop(int64_t) {
  if (!table_.begun()) return Status::ok();
  const int64_t now = host().now_ns();
  usage_.read_all();
  survey_next_ = true;
  if (now - last_second_ns_ >= kSecond / 2) second(now);
  if (!tables_frozen_ && processes_.refresh(true)) send_tables(now);
  emit_host_table();
  return Status::ok();
}

void HostMetrics::tick(int64_t now_ns) {
  // A look stands for the time since the one before, which was settled before anybody knew what it
  // would see: so a mean is no other for looks that are seldom while nothing goes on.
  const int64_t span_ns = std::max<int64_t>(1, now_ns - std::exchange(last_look_ns_, now_ns));
  machine_.tick(!target_.empty(), span_ns);
  if (!target_.empty()) {
    look_at_threads(static_cast<double>(span_ns));
    sockets_.tick(now_ns, target_, problems_);
    if (sockets_.busy() || someone_waits_for_disk_) stay_attentive(now_ns);
  }
}

int64_t HostMetrics::pause_until(int64_t now_ns) {
  if (now_ns < attentive_until_ns_) return now_ns;
  const auto drawn = [this](int64_t steps) {
    return static_cast<int64_t>(draw_()) % steps * kDrawnStep;
  };
  return now_ns + (sockets_.any_outbound() ? kQuietPause + drawn(kQuietSteps)
                                           : kStillPause + drawn(kStillSteps));
}

void HostMetrics::look_at_threads(double span) {
  thread_states_.ticks += span;
  // Nobody waits for a disk while the whole machine knows of no waiting: threads are looked at once
  // a second then.
  const bool look =
      thread_states_.looks == 0 || machine_.disk_was_waited_for() || someone_waits_for_disk_;
  if (const auto states = look ? usage_.look_at_threads() : std::nullopt) {
    thread_states_.looks += span;
    thread_states_.states.running += states->running * span;
    thread_states_.states.uninterruptible += states->uninterruptible * span;
    thread_states_.states.sleeping += states->sleeping * span;
    thread_states_.disk_waiting += states->uninterruptible * span;
    someone_waits_for_disk_ = states->uninterruptible > 0;
  }
}

void HostMetrics::second(int64_t now_ns) {
  machine_.emit(now_ns, outlet_, problems_);
  network_.emit(now_ns, outlet_, problems_);
  watch_clock(now_ns);
  // Without a target there is nobody whose neighbours must be known second by second.
  if (finder_ || seconds_ % kSurveyEvery == 0 || survey_next_) watch_processes(now_ns);
  sockets_.second(now_ns, target_, network_.opened(), outlet_, problems_);
  outlet_.flush();
  if (seconds_ > 0 && seconds_ % kTablesEvery == 0 && !tables_frozen_) send_tables(now_ns);
  const bool changed = problems_.take_changed();
  if (changed) report_problems();
  if (changed || seconds_ % kHostTableEvery == 0) emit_host_table();
  last_second_ns_ = now_ns;
  ++seconds_;
}

void HostMetrics::watch_processes(int64_t now_ns) {
  const bool survey_now = std::exchange(survey_next_, false);
  // A target that is not found may have been there, under the name it had before its exec.
  const bool full = finder_ && target_.empty() && seconds_ % kSearchNamesEvery == 0;
  // One more time after the last change: who was new is read again, it may have been before its
  // exec.
  const bool changed_tasks = machine_.take_tasks_changed();
  if (changed_tasks || tasks_changed_before_ || full) {
    problems_.set("processes", processes_.refresh(full).message());
  }
  tasks_changed_before_ = changed_tasks;
  find_target();
  const TargetTotals target = emit_target(now_ns);
  const CgroupTotals cgroup = cgroup_.update(target_.empty() ? 0 : target_.front());
  if (const std::string change = cgroup_.take_change(); !change.empty()) {
    (void)host().event(PLUMB_WARNING, "target-cgroup-changed", change);
  }
  emit_cgroup(now_ns, cgroup);
  // Nobody takes from a target that wants little: its neighbours may be read every other second.
  const bool calm = finder_ && !target_.empty() && now_ns >= attentive_until_ns_;
  if (calm && !survey_now && seconds_ % 2 != 0) return;
  emit_groups(now_ns, target, cgroup);
  emit_others(now_ns);
}

void HostMetrics::find_target() {
  const bool same = roles_generation_ == processes_.generation();
  if (same && seconds_ % kFindAgainEvery != 0 && (!finder_ || !target_.empty())) return;
  if (finder_) {
    const auto found = finder_->find(processes_);
    problems_.set("target", found ? "" : found.status().message());
    if (found) {
      note_found(found.value());
    } else {
      note_lost(found.status());
    }
    target_ = found ? found.value() : std::vector<Pid>{};
  }
  roles_ = assign_roles(processes_, target_, self_);
  roles_generation_ = processes_.generation();
}

void HostMetrics::note_lost(const Status& why) {
  if (last_target_.empty() || lost_) return;
  lost_ = true;
  const bool lives = std::any_of(last_target_.begin(), last_target_.end(), [&](const Identity& i) {
    const proc::Stat* stat = processes_.find(i.pid);
    return stat != nullptr && stat->start_ticks == i.start_ticks;
  });
  const bool ended = why.code() == PLUMB_NOT_FOUND && !lives;
  (void)host().event(
      PLUMB_WARNING, "target-lost",
      selector_.describe() + (ended ? " has ended" : " is not seen any more: " + why.message()));
}

void HostMetrics::note_found(const std::vector<Pid>& pids) {
  std::vector<Identity> now;
  for (const Pid pid : pids) {
    if (const proc::Stat* stat = processes_.find(pid)) now.push_back({pid, stat->start_ticks});
  }
  const bool same = std::any_of(now.begin(), now.end(), [&](const Identity& i) {
    return std::find(last_target_.begin(), last_target_.end(), i) != last_target_.end();
  });
  if (last_target_.empty()) {
    if (seconds_ > 0) {
      (void)host().event(PLUMB_INFO, "target-found", selector_.describe() + " runs now");
    }
  } else if (!same) {
    (void)host().event(PLUMB_WARNING, "target-restarted",
                       selector_.describe() + " was restarted: it is process " +
                           std::to_string(pids.front()) + " now");
    ++restarts_;
    sockets_.forget();
  } else if (lost_) {
    (void)host().event(PLUMB_INFO, "target-found", selector_.describe() + " is seen again");
  }
  lost_ = false;
  last_target_ = std::move(now);
}

void HostMetrics::watch_clock(int64_t now_ns) {
  if (const auto step = clock_.look()) {
    (void)host().event(PLUMB_WARNING, "clock-step",
                       "the wall clock was set " +
                           std::to_string(static_cast<double>(*step) / 1e9) +
                           " s ahead: what others log by it shifts against this run by as much");
  }
  outlet_.add("host_clock_steps_total", now_ns, static_cast<double>(clock_.steps()));
}

void HostMetrics::report_problems() {
  if (problems_.empty()) {
    host().health(PLUMB_HEALTH_OK, "");
  } else {
    host().health(PLUMB_HEALTH_DEGRADED, problems_.text());
  }
}

}  // namespace plumb::host_metrics
