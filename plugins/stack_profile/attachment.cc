#include "plugins/stack_profile/attachment.h"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "plugins/proc/fields.h"
#include "plugins/proc/processes.h"

namespace plumb::stack_profile {

namespace {

constexpr size_t kLargestRing = 4u << 20;
constexpr size_t kSmallestRing = 64u << 10;
constexpr int kMostCpus = 4096;

// Descriptors that are not for events: the files behind the target's code, two each, and what is
// read of /proc.
constexpr size_t kOtherDescriptors = 1536;
// A child inherits some time before its birth is recorded: a large process is copied in between.
constexpr uint64_t kBirthNs = 10'000'000;

// How many descriptors this process may have, after raising that as far as it goes.
size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? limit.rlim_max : limit.rlim_cur;
}

}  // namespace

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> out;
  text = text.substr(0, text.find('\n'));
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const size_t dash = part.find('-');
    const auto first = proc::to_number<int>(part.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : proc::to_number<int>(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last >= kMostCpus) return {};
    for (int cpu = *first; cpu <= *last; ++cpu) out.push_back(cpu);
  }
  return out;
}

std::vector<TargetThread> list_threads(const proc::Root& root, std::span<const Pid> pids) {
  std::vector<TargetThread> out;
  for (const Pid pid : pids) {
    for (const Pid tid : proc::list_tasks(root, pid)) out.push_back({pid, tid});
  }
  return out;
}

Attachment::Attachment(EventKernel kernel, proc::Root root, size_t most_events)
    : kernel_(std::move(kernel)), root_(std::move(root)), most_events_(most_events) {}

Status Attachment::open_rings(size_t bytes_in_all) {
  const size_t descriptors = raise_descriptor_limit();
  const size_t others = std::min(kOtherDescriptors, descriptors / 2);
  most_events_ = std::min(most_events_, descriptors - others);
  proc::Buffer buffer;
  const proc::Text online = buffer.read((root_.sys + "/devices/system/cpu/online").c_str());
  std::vector<int> cpus = parse_cpu_list(online.text);
  if (cpus.empty()) {
    for (int cpu = 0; cpu < static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)); ++cpu) {
      cpus.push_back(cpu);
    }
  }
  size_t bytes = std::bit_floor(
      std::clamp(bytes_in_all / std::max<size_t>(cpus.size(), 1), kSmallestRing, kLargestRing));
  const perf_event_attr attr = ring_event();
  for (const int cpu : cpus) {
    const int descriptor = kernel_.open(attr, 0, cpu);
    if (descriptor == -ENODEV) continue;  // went offline
    if (descriptor < 0) {
      return Status::permission_denied(
          refusal("the target's stacks cannot be sampled", -descriptor, root_));
    }
    owners_.push_back({cpu, OwnedDescriptor(descriptor)});
  }
  // Without CAP_IPC_LOCK a user may lock little memory, and that for all processors together: the
  // rings are of one size, or the first of them would leave nothing to the last. Smaller ones lose
  // sooner.
  for (;; bytes /= 2) {
    const Status mapped = map_rings(bytes);
    if (mapped) return mapped;
    if (bytes <= kSmallestRing) {
      return Status::resource_exhausted(mapped.message() +
                                        ": raise kernel.perf_event_mlock_kb or ulimit -l");
    }
  }
}

Status Attachment::map_rings(size_t bytes) {
  rings_ = Rings();  // what an earlier try has locked is given back first
  for (const RingOwner& owner : owners_) {
    PLUMB_ASSIGN_OR_RETURN(Ring ring, Ring::map(owner.descriptor.get(), bytes));
    rings_.add(std::move(ring));
  }
  return Status::ok();
}

int Attachment::open_events(const perf_event_attr& attr, Pid tid, Profile profile,
                            std::vector<Event>& into) {
  forget_old_ids();
  std::vector<Event> opened;
  for (const RingOwner& owner : owners_) {
    const int descriptor = kernel_.open(attr, tid, owner.cpu);
    if (descriptor == -ENODEV) continue;  // went offline
    if (descriptor < 0) return -descriptor;
    Event event{OwnedDescriptor(descriptor), 0};
    const int error = kernel_.join(descriptor, owner.descriptor.get(), event.id);
    if (error != 0) return error;
    opened.push_back(std::move(event));
  }
  for (Event& event : opened) {
    profiles_[event.id] = profile;
    into.push_back(std::move(event));
  }
  return 0;
}

// Ids of closed events stay known for a while: what they wrote may not have been read yet.
void Attachment::forget_old_ids() {
  constexpr size_t kMostIds = 4 * kMostEvents;
  if (profiles_.size() < kMostIds) return;
  profiles_.clear();
  for (const Event& event : machine_events_) profiles_[event.id] = Profile::kOnCpu;
  for (const Event& event : on_cpu_events_) profiles_[event.id] = Profile::kOnCpu;
  for (const Event& event : off_cpu_events_) profiles_[event.id] = Profile::kOffCpu;
}

void Attachment::sample_machine() {
  constexpr Pid kEveryThread = -1;
  std::vector<Event> opened;
  const int error = open_events(on_cpu_event(settings_), kEveryThread, Profile::kOnCpu, opened);
  if (error != 0) {
    refused_ = refusal("the processors are not sampled", error, root_);
    return;
  }
  // The old ones go only now, so that no birth and no mapping is missed.
  machine_events_ = std::move(opened);
  machine_frequency_ = settings_.frequency;
}

bool Attachment::attach(std::span<const TargetThread> threads) {
  if (!threads.empty()) refused_.clear();
  if (!waits_given_up_) waits_refused_.clear();
  if (settings_.whole_machine && machine_frequency_ != settings_.frequency) sample_machine();
  bool any = watch_unseen_waits();
  for (const TargetThread& thread : threads) {
    if (covered_.contains(thread.tid)) continue;
    const int error = watch(thread.tid);
    any = any || error == 0;
    if (error != 0 && error != ESRCH && refused_.empty()) {
      refused_ =
          explain("threads of process " + std::to_string(thread.pid) + " are not sampled", error);
    }
    if (error == EMFILE) break;
  }
  return any;
}

int Attachment::watch(Pid tid) {
  if (!settings_.whole_machine) {
    const perf_event_attr attr = on_cpu_event(settings_);
    const auto open = [&] {
      return has_room() ? open_events(attr, tid, Profile::kOnCpu, on_cpu_events_) : EMFILE;
    };
    int error = open();
    if (error == EMFILE && !off_cpu_events_.empty()) {
      give_up_waits();
      error = open();
    }
    if (error != 0) return error;
  }
  Thread& thread = covered_[tid];
  thread.on_cpu_from_ns = kernel_.now_ns();
  if (watch_waits(tid, thread) != ESRCH) return 0;
  ended(tid);
  return ESRCH;
}

int Attachment::watch_waits(Pid tid, Thread& thread) {
  thread.off_cpu_from_ns = kNever;
  if (!watches_waits()) return 0;
  perf_event_attr attr = off_cpu_event(settings_);
  attr.disabled = resting_ ? 1 : 0;
  const int error = has_room() ? open_events(attr, tid, Profile::kOffCpu, off_cpu_events_) : EMFILE;
  if (error == 0) {
    thread.off_cpu_from_ns = kernel_.now_ns();
    unseen_waits_.erase(tid);
    return 0;
  }
  if (error == ESRCH) return error;
  unseen_waits_.insert(tid);
  if (waits_refused_.empty()) {
    waits_refused_ = explain("what some threads wait for is not seen", error);
  }
  return error;
}

bool Attachment::watch_unseen_waits() {
  bool any = false;
  if (!watches_waits()) return any;
  born_unseen_ = false;
  const std::vector<Pid> tids(unseen_waits_.begin(), unseen_waits_.end());
  for (const Pid tid : tids) {
    const int error = watch_waits(tid, covered_.at(tid));
    any = any || error == 0;
    if (error == ESRCH) ended(tid);
    if (error == EMFILE) break;
  }
  return any;
}

void Attachment::give_up_waits() {
  waits_given_up_ = true;
  waits_refused_ = explain("what threads wait for is not seen", EMFILE);
  off_cpu_events_.clear();
  unseen_waits_.clear();
}

bool Attachment::misses(std::span<const TargetThread> threads) const {
  return std::any_of(threads.begin(), threads.end(),
                     [&](const TargetThread& t) { return !covered_.contains(t.tid); });
}

void Attachment::born(Pid tid, Pid parent, uint64_t time_ns) {
  const auto from = covered_.find(parent);
  if (from == covered_.end() || covered_.contains(tid)) return;
  const Thread by = from->second;
  if (!settings_.whole_machine && time_ns < by.on_cpu_from_ns) {
    torn_ = true;
    return;
  }
  const bool watched = by.off_cpu_from_ns != kNever && by.off_cpu_from_ns + kBirthNs <= time_ns;
  covered_[tid] = {time_ns, watched ? time_ns : kNever};
  if (watched || !watches_waits()) return;
  unseen_waits_.insert(tid);
  born_unseen_ = true;
}

void Attachment::ended(Pid tid) {
  covered_.erase(tid);
  unseen_waits_.erase(tid);
}

std::string Attachment::problem() const {
  return refused_ + (refused_.empty() || waits_refused_.empty() ? "" : "; ") + waits_refused_;
}

std::string Attachment::explain(const std::string& what, int error) const {
  if (error == EMFILE && most_events_ == kMostEvents && !has_room()) {
    return what + ": the target has too many threads for this machine's processors (" +
           std::to_string(kMostEvents) + " events at most)";
  }
  if (error == EACCES || error == EPERM) {
    return what +
           ": the process belongs to another user or may not be traced: run plumb as that "
           "user (with kernel.yama.ptrace_scope 0), or give plumb-host CAP_PERFMON";
  }
  return refusal(what, error, root_);
}

void Attachment::restart(std::span<const TargetThread> threads, const EventSettings& settings) {
  on_cpu_events_.clear();
  off_cpu_events_.clear();
  covered_.clear();
  unseen_waits_.clear();
  torn_ = false;
  settings_ = settings;
  const size_t wanted = settings_.whole_machine ? 1 : 2;
  waits_given_up_ = waits_given_up_ && threads.size() * owners_.size() * wanted > most_events_;
  attach(threads);
}

void Attachment::disable_all() {
  for (const auto* events : {&machine_events_, &on_cpu_events_, &off_cpu_events_}) {
    for (const Event& event : *events) kernel_.enable(event.descriptor.get(), false);
  }
}

void Attachment::sweep() {
  close_ended(on_cpu_events_);
  close_ended(off_cpu_events_);
}

void Attachment::close_ended(std::vector<Event>& events) {
  std::vector<pollfd> polled;
  polled.reserve(events.size());
  for (const Event& event : events) polled.push_back({event.descriptor.get(), 0, 0});
  if (polled.empty() || ::poll(polled.data(), polled.size(), 0) <= 0) return;
  std::vector<Event> kept;
  for (size_t i = 0; i < events.size(); ++i) {
    if ((polled[i].revents & POLLHUP) == 0) kept.push_back(std::move(events[i]));
  }
  events = std::move(kept);
}

void Attachment::rest_off_cpu() {
  resting_ = true;
  if (!settings_.whole_machine) {
    for (const Event& event : off_cpu_events_) kernel_.enable(event.descriptor.get(), false);
    return;
  }
  // Even an event that is disabled costs each switch something, one that is closed nothing.
  off_cpu_events_.clear();
  unseen_waits_.clear();
  for (auto& [tid, thread] : covered_) thread.off_cpu_from_ns = kNever;
}

void Attachment::resume_off_cpu() {
  resting_ = false;
  if (!settings_.whole_machine) {
    for (const Event& event : off_cpu_events_) kernel_.enable(event.descriptor.get(), true);
    return;
  }
  if (!watches_waits()) return;
  for (const auto& [tid, thread] : covered_) unseen_waits_.insert(tid);
  watch_unseen_waits();
}

std::optional<Profile> Attachment::profile_of(uint64_t event_id) const {
  const auto it = profiles_.find(event_id);
  return it == profiles_.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace plumb::stack_profile
