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
// Threads are listed again at the next tick where new ones were found, this often per second.
constexpr int kMostRelists = 5;
constexpr int kMostTornRestarts = 3;
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

StackProfile::StackProfile(Host host) : StackProfile(host, proc::Root{}, EventKernel{}) {}

StackProfile::StackProfile(Host host, proc::Root root, EventKernel kernel)
    : Sampler(host), root_(root), kernel_(std::move(kernel)), processes_(std::move(root)) {}

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
  const Meter all(watching_cpu_s_);
  const Meter once(naming_cpu_s_);  // what the beginning costs does not come again, either
  started_ns_ = emitted_until_ns_ = budget_from_ns_ = now;
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
    candidates_ = list_threads(root_, target_);
  }
  report_health();
  return Status::ok();
}

void StackProfile::begin_sampling() {
  access_ = probe_access(kernel_.open, root_);
  set_problem("access", access_.refused);
  if (!access_.on_cpu) return;
  set_problem("kernel", settings_.kernel ? access_.kernel_refused : "");
  set_problem("off_cpu", settings_.off_cpu ? access_.off_cpu_refused : "");

  attachment_.emplace(kernel_, root_);
  const Status rings = attachment_->open_rings(kRingBytes);
  set_problem("rings", rings.message());
  if (!rings) return;
  EventSettings events;
  events.whole_machine = access_.whole_machine;
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
  watch.born = [this](Pid tid, Pid parent, uint64_t time_ns) {
    attachment_->born(tid, parent, time_ns);
  };
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
  bool emitted = false;
  {
    const Meter meter(watching_cpu_s_);
    emitted = watch(now);
  }
  if (emitted) keep_to_budget(now);
  report_health();
  return Status::ok();
}

bool StackProfile::watch(int64_t now_ns) {
  const uint64_t settled_ns = static_cast<uint64_t>(now_ns) - kSettleNs;
  drain(settled_ns);
  attach_new();
  limit_switches(settled_ns);
  if (window_until_ns_ && now_ns >= next_window_ns_) end_switch_window(settled_ns);
  if (now_ns + kToleranceNs < next_second_ns_) return false;
  next_second_ns_ += kSecondNs;
  if (next_second_ns_ <= now_ns) next_second_ns_ = now_ns + kSecondNs;
  return second(now_ns);
}

void StackProfile::drain(uint64_t until_ns) {
  given_up_bytes_ +=
      attachment_->rings().drain(until_ns, [&](Bytes bytes) { collector_->record(bytes); });
}

bool StackProfile::second(int64_t now_ns) {
  // A target that is not found may have been there, under the name it had before its exec.
  const bool full = seconds_ % kFullListEvery == 0 || target_.empty();
  set_problem("processes", processes_.refresh(full).message());
  find_target();
  candidates_ = list_threads(root_, target_);
  relists_ = 0;
  if (seconds_ % kSweepEvery == 0) attachment_->sweep();
  collector_->read_perf_maps();
  set_problem("perf_map", collector_->perf_map_problem());
  const bool emission_due = now_ns + kToleranceNs >= next_emission_ns_;
  // A rest ends with the interval, so that what was seen before it stands for this interval only.
  if (!window_until_ns_ || emission_due) {
    end_switch_window(static_cast<uint64_t>(now_ns) - kSettleNs);
  }
  limit_waiting_stacks();
  renew_missed_rates(now_ns);
  ++seconds_;
  if (!emission_due) return false;
  emit(now_ns - static_cast<int64_t>(kSettleNs));
  next_emission_ns_ = now_ns + kEmissionNs;
  return true;
}

void StackProfile::find_target() {
  const auto found = finder_->find(processes_);
  set_problem("target", found ? "" : found.status().message());
  target_ = found ? found.value() : std::vector<Pid>{};
}

// The threads listed at an earlier tick whose birth no record has told of until now were not
// started by a thread that is watched.
void StackProfile::attach_new() {
  const std::vector<TargetThread> candidates = std::exchange(candidates_, {});
  if (!candidates.empty() && births_are_unsure() && attachment_->misses(candidates)) {
    // Attached twice they would count twice.
    return restart(attachment_->settings());
  }
  if (candidates.empty() && !attachment_->lacks_waits()) return;
  const bool any = attachment_->attach(candidates);
  set_problem("attach", attachment_->problem());
  // Those that were born meanwhile are not left to the next second.
  if (any && relists_++ < kMostRelists) candidates_ = list_threads(root_, target_);
}

// Whether, since the last call, births may have been among records that were lost, or have given
// threads a part of their parents' events.
bool StackProfile::births_are_unsure() {
  const auto& lost = collector_->counts().lost;
  const uint64_t lost_now = lost[0] + lost[1];
  const bool lost_more = std::exchange(lost_before_, lost_now) != lost_now;
  const bool torn = attachment_->take_torn();
  torn_restarts_ = torn ? torn_restarts_ + 1 : 0;
  return lost_more || (torn && torn_restarts_ <= kMostTornRestarts);
}

void StackProfile::restart(const EventSettings& events) {
  attachment_->restart(list_threads(root_, target_), events);
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

// How many times the window's time what was seen in it stands for.
double StackProfile::switch_factor(uint64_t now_ns) const {
  if (!window_until_ns_ || *window_until_ns_ <= window_from_ns_) return 1;
  return static_cast<double>(now_ns - window_from_ns_) /
         static_cast<double>(*window_until_ns_ - window_from_ns_);
}

void StackProfile::end_switch_window(uint64_t now_ns) {
  const double factor = switch_factor(now_ns);
  if (window_until_ns_) {
    attachment_->resume_off_cpu();
    // From here on switches are seen again.
    now_ns = static_cast<uint64_t>(host().now_ns());
  }
  collector_->resume_off_cpu(now_ns, factor);
  window_until_ns_.reset();
  window_from_ns_ = now_ns;
  window_switches_ = collector_->counts().switches;
}

void StackProfile::keep_to_budget(int64_t now_ns) {
  const double elapsed_s = static_cast<double>(now_ns - budget_from_ns_) * 1e-9;
  const auto slower = pace_->spent(watching_cpu_s_, naming_cpu_s_, elapsed_s);
  watching_cpu_s_ = naming_cpu_s_ = 0;
  budget_from_ns_ = now_ns;
  if (!slower) return;
  const Meter meter(watching_cpu_s_);
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
  const Meter meter(watching_cpu_s_);
  drain(static_cast<uint64_t>(now) - kSettleNs);
  end_switch_window(static_cast<uint64_t>(now) - kSettleNs);
  emit(now - static_cast<int64_t>(kSettleNs));
  next_emission_ns_ = now + kEmissionNs;
  shares_.begin_stage(stage.kind);
  return Status::ok();
}

Status StackProfile::stop(int64_t) {
  if (!sampling_) return Status::ok();
  // First nothing more is written, then all of it is read, and closing, which takes a while with
  // many events, comes last.
  attachment_->disable_all();
  const int64_t now = host().now_ns();
  drain(UINT64_MAX);
  collector_->resume_off_cpu(static_cast<uint64_t>(now), switch_factor(static_cast<uint64_t>(now)));
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
