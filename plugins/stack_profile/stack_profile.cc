#include "plugins/stack_profile/stack_profile.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace plumb::stack_profile {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kEmissionNs = 5 * kSecondNs;
// A tick this close to the second's end belongs to it: timers wake a little early or late.
constexpr int64_t kToleranceNs = 20'000'000;
// Records this young may still be on their way into another processor's ring.
constexpr uint64_t kSettleNs = 2'000'000;
constexpr int kFullListEvery = 10;  // seconds
constexpr int kSweepEvery = 5;      // seconds
constexpr size_t kRingBytes = 32u << 20;
// A thread that waits often is sampled more often than one that runs: the kernel is slow to find
// the right rate where it comes in bursts.
constexpr uint32_t kSwitchFactor = 2;
constexpr uint64_t kMostWaitingStacks = 600;  // per second, of all threads together

Unwind unwind_mode(const std::string& word) {
  if (word == "frame_pointer") return Unwind::kFramePointer;
  return word == "dwarf" ? Unwind::kDwarf : Unwind::kAuto;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f%%", share * 100);
  return text;
}

}  // namespace

StackProfile::StackProfile(Host host) : StackProfile(host, proc::Root{}, kernel_open_event()) {}

StackProfile::StackProfile(Host host, proc::Root root, OpenEvent open)
    : Sampler(host), root_(root), open_(std::move(open)), processes_(std::move(root)) {}

Status StackProfile::configure(const Config& config) {
  PLUMB_ASSIGN_OR_RETURN(selector_, proc::selector_from_document(config.document()));
  settings_.frequency = static_cast<uint32_t>(config.integer("frequency", 99));
  settings_.off_cpu = config.boolean("off_cpu", true);
  settings_.kernel = config.boolean("kernel", true);
  settings_.unwind = unwind_mode(config.string("unwind", "auto"));
  const auto stack_bytes = static_cast<uint32_t>(config.integer("stack_bytes", 16 * 1024));
  const bool dumps = settings_.unwind != Unwind::kFramePointer && register_mask() != 0;
  settings_.stack_bytes = dumps ? stack_bytes / 8 * 8 : 0;
  settings_.most_stacks = static_cast<size_t>(config.integer("max_stacks", 10'000));
  settings_.budget = config.number("cpu_budget", 0.05);
  settings_.most_switches = static_cast<uint64_t>(config.integer("max_switches", 10'000));
  if (!selector_.empty()) finder_.emplace(root_, selector_);
  return Status::ok();
}

Status StackProfile::start() {
  const int64_t now = host().now_ns();
  started_ns_ = emitted_until_ns_ = now;
  next_second_ns_ = now + kSecondNs;
  next_emission_ns_ = now + kEmissionNs;
  if (!finder_) {
    set_problem("target", "there is no process to profile: name one under target.process");
    report_health();
    return Status::ok();
  }
  begin_sampling();
  if (sampling_) {
    set_problem("processes", processes_.refresh(true).message());
    find_target();
    attachment_->attach(list_threads(root_, target_));
    set_problem("attach", attachment_->problem());
  }
  report_health();
  return Status::ok();
}

void StackProfile::begin_sampling() {
  access_ = probe_access(open_, root_);
  set_problem("access", access_.refused);
  if (!access_.on_cpu) return;
  set_problem("kernel", settings_.kernel ? access_.kernel_refused : "");
  set_problem("off_cpu", settings_.off_cpu ? access_.off_cpu_refused : "");

  attachment_.emplace(open_, root_);
  const Status rings = attachment_->open_rings(kRingBytes);
  set_problem("rings", rings.message());
  if (!rings) return;
  EventSettings events;
  events.whole_machine = access_.whole_machine;
  events.hardware = access_.hardware;
  events.count_kernel = access_.count_kernel;
  events.kernel_frames = access_.count_kernel && settings_.kernel;
  events.stack_bytes = settings_.stack_bytes;
  events.frequency = settings_.frequency;
  events.switch_frequency = settings_.frequency * kSwitchFactor;
  events.off_cpu = settings_.off_cpu && access_.off_cpu;
  attachment_->set_settings(events);

  Collector::Watch watch;
  watch.profile_of = [this](uint64_t id) { return attachment_->profile_of(id); };
  watch.watches = [this](Pid tid) { return attachment_->watches(tid); };
  watch.born = [this](Pid tid) { attachment_->born(tid); };
  watch.ended = [this](Pid tid) { attachment_->ended(tid); };
  collector_.emplace(
      root_, Collector::Options{settings_.unwind, settings_.stack_bytes > 0, settings_.most_stacks},
      std::move(watch));
  if (events.kernel_frames) {
    set_problem("kallsyms",
                collector_->symbolizer().load_kernel(root_.proc + "/kallsyms").message());
  }
  pace_.emplace(settings_.frequency, settings_.budget);
  window_from_ns_ = static_cast<uint64_t>(started_ns_);
  sampling_ = true;
}

Status StackProfile::collect() {
  if (!sampling_) return Status::ok();
  const int64_t now = host().now_ns();
  drain(static_cast<uint64_t>(now) - kSettleNs);
  attach_new();
  limit_switches(static_cast<uint64_t>(now) - kSettleNs);
  if (window_until_ns_ && now >= next_window_ns_) {
    end_switch_window(static_cast<uint64_t>(now) - kSettleNs);
  }
  if (now + kToleranceNs < next_second_ns_) return Status::ok();
  second(now);
  next_second_ns_ += kSecondNs;
  if (next_second_ns_ <= now) next_second_ns_ = now + kSecondNs;
  return Status::ok();
}

void StackProfile::drain(uint64_t until_ns) {
  const double before = thread_cpu_seconds();
  attachment_->rings().drain(until_ns, [&](Bytes bytes) { collector_->record(bytes); });
  sampling_cpu_s_ += thread_cpu_seconds() - before;
}

void StackProfile::second(int64_t now_ns) {
  const double before = thread_cpu_seconds();
  // A target that is not found may have been there, under the name it had before its exec.
  const bool full = seconds_ % kFullListEvery == 0 || target_.empty();
  set_problem("processes", processes_.refresh(full).message());
  find_target();
  candidates_ = list_threads(root_, target_);
  if (seconds_ % kSweepEvery == 0) attachment_->sweep();
  collector_->read_perf_maps();
  set_problem("perf_map", collector_->perf_map_problem());
  sampling_cpu_s_ += thread_cpu_seconds() - before;
  const bool emission_due = now_ns + kToleranceNs >= next_emission_ns_;
  // A rest ends with the interval, so that what was seen before it stands for this interval only.
  if (!window_until_ns_ || emission_due) {
    end_switch_window(static_cast<uint64_t>(now_ns) - kSettleNs);
  }
  limit_waiting_stacks();
  renew_missed_rates(now_ns);
  if (emission_due) {
    emit(now_ns - static_cast<int64_t>(kSettleNs));
    next_emission_ns_ = now_ns + kEmissionNs;
  }
  report_health();
  ++seconds_;
}

void StackProfile::find_target() {
  const auto found = finder_->find(processes_);
  set_problem("target", found ? "" : found.status().message());
  target_ = found ? found.value() : std::vector<Pid>{};
}

// The threads listed at the last second whose birth no record has told of until now were not
// started by a thread that is watched.
void StackProfile::attach_new() {
  if (candidates_.empty()) return;
  const auto& lost = collector_->counts().lost;
  const uint64_t lost_now = lost[0] + lost[1];
  if (attachment_->misses(candidates_)) {
    if (lost_now != lost_before_) {
      // Their births may have been among what was lost. Attached twice they would count twice.
      restart(attachment_->settings());
    } else {
      attachment_->attach(candidates_);
      set_problem("attach", attachment_->problem());
    }
  } else {
    set_problem("attach", "");
  }
  lost_before_ = lost_now;
  candidates_.clear();
}

void StackProfile::restart(const EventSettings& events) {
  attachment_->restart(list_threads(root_, target_), events);
  if (window_until_ns_) attachment_->rest_off_cpu();
  set_problem("attach", attachment_->problem());
}

// Each thread has a rate of its own, so many threads together may be too much.
void StackProfile::limit_waiting_stacks() {
  const uint64_t all = collector_->counts().samples[static_cast<size_t>(Profile::kOffCpu)];
  const uint64_t stacks = all - std::exchange(waiting_stacks_, all);
  EventSettings events = attachment_->settings();
  if (stacks <= kMostWaitingStacks || events.switch_frequency <= Pace::kLeastFrequency) return;
  const double factor = static_cast<double>(kMostWaitingStacks) / static_cast<double>(stacks);
  events.switch_frequency = std::max(Pace::kLeastFrequency,
                                     static_cast<uint32_t>(events.switch_frequency * factor * 0.8));
  restart(events);
}

// A thread starts with the rate that its parent had at that time, and the kernel adapts it only
// while the thread runs: the child of a busy thread that hardly ever runs would not be sampled for
// minutes.
void StackProfile::renew_missed_rates(int64_t now_ns) {
  const OffCpu::Seen waits = collector_->take_waits_seen();
  constexpr double kMissed = 0.25;
  constexpr double kWorthwhile = 0.1;  // seconds
  constexpr int64_t kRenewNs = 2 * kSecondNs;
  const bool missed =
      waits.without_stack > kWorthwhile && waits.without_stack > kMissed * waits.all;
  if (!missed || now_ns - renewed_ns_ < kRenewNs) return;
  renewed_ns_ = now_ns;
  restart(attachment_->settings());
}

void StackProfile::limit_switches(uint64_t now_ns) {
  if (window_until_ns_) return;
  const uint64_t seen = collector_->counts().switches - window_switches_;
  if (seen <= settings_.most_switches) return;
  attachment_->rest_off_cpu();
  collector_->suspend_off_cpu(now_ns);
  window_until_ns_ = now_ns;
  // The rest is as long as it takes for the mean to be within the limit, or some seconds. Not
  // quite: at a fixed rhythm, what the target does in the same would always be seen, or never.
  constexpr double kMostRestSeconds = 3;
  const double mean = static_cast<double>(seen) / static_cast<double>(settings_.most_switches);
  std::uniform_real_distribution<double> jitter(0.7, 1.3);
  next_window_ns_ =
      static_cast<int64_t>(window_from_ns_) +
      static_cast<int64_t>(std::min(mean, kMostRestSeconds) * jitter(random_) * kSecondNs);
  ++limited_windows_;
  if (limited_windows_ > 1) return;
  (void)host().event(PLUMB_INFO, "off-cpu-limited",
                     "The target switches threads more than " +
                         std::to_string(settings_.most_switches) +
                         " times per second: they are looked at now and then, and what was seen "
                         "stands for all of the time");
}

void StackProfile::end_switch_window(uint64_t now_ns) {
  double factor = 1;
  if (window_until_ns_) {
    const auto seen = static_cast<double>(*window_until_ns_ - window_from_ns_);
    const auto whole = static_cast<double>(now_ns - window_from_ns_);
    if (seen > 0) factor = whole / seen;
    attachment_->resume_off_cpu();
    // From here on switches are seen again.
    now_ns = static_cast<uint64_t>(host().now_ns());
  }
  collector_->resume_off_cpu(now_ns, factor);
  window_until_ns_.reset();
  window_from_ns_ = now_ns;
  window_switches_ = collector_->counts().switches;
}

void StackProfile::keep_to_budget(double elapsed_s) {
  const auto slower = pace_->spent(sampling_cpu_s_, naming_cpu_s_, elapsed_s);
  sampling_cpu_s_ = naming_cpu_s_ = 0;
  if (!slower) return;
  EventSettings events = attachment_->settings();
  events.frequency = *slower;
  events.switch_frequency = std::min(events.switch_frequency, *slower * kSwitchFactor);
  restart(events);
  (void)host().event(PLUMB_WARNING, "profile-slowed",
                     "Profiling cost " + percent(pace_->share()) +
                         " of one core, more than its budget: it goes on with " +
                         std::to_string(*slower) + " samples per second");
}

Status StackProfile::stage(const Stage& stage) {
  if (!sampling_) return Status::ok();
  const int64_t now = host().now_ns();
  drain(static_cast<uint64_t>(now) - kSettleNs);
  end_switch_window(static_cast<uint64_t>(now) - kSettleNs);
  emit(now - static_cast<int64_t>(kSettleNs));
  next_emission_ns_ = now + kEmissionNs;
  if (stage.kind == PLUMB_STAGE_STEADY) {
    shares_.clear();
    table_frozen_ = false;
  } else if (stage.kind == PLUMB_STAGE_COOLDOWN) {
    // The table keeps what the steady stage showed.
    table_frozen_ = true;
  }
  return Status::ok();
}

Status StackProfile::stop(int64_t) {
  if (!sampling_) return Status::ok();
  const int64_t now = host().now_ns();
  attachment_->detach_all();
  drain(UINT64_MAX);
  end_switch_window(static_cast<uint64_t>(now));
  emit(now);
  sampling_ = false;
  collector_.reset();
  attachment_.reset();
  return Status::ok();
}

void StackProfile::set_problem(const std::string& subject, const std::string& sentence) {
  if (sentence.empty()) {
    problems_changed_ = problems_.erase(subject) > 0 || problems_changed_;
    return;
  }
  std::string& kept = problems_[subject];
  problems_changed_ = problems_changed_ || kept != sentence;
  kept = sentence;
}

void StackProfile::report_health() {
  if (!std::exchange(problems_changed_, false)) return;
  if (problems_.empty()) {
    host().health(PLUMB_HEALTH_OK, "");
    return;
  }
  std::string text;
  for (const auto& [subject, sentence] : problems_) {
    if (!text.empty()) text += "; ";
    text += sentence;
  }
  const bool blind = !finder_ || !sampling_ || !attachment_->watches_any();
  host().health(blind ? PLUMB_HEALTH_DARK : PLUMB_HEALTH_DEGRADED, text);
}

}  // namespace plumb::stack_profile
