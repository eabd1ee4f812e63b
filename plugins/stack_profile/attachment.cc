#include "plugins/stack_profile/attachment.h"

#include <poll.h>
#include <sys/ioctl.h>
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

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
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

Attachment::Attachment(OpenEvent open, proc::Root root)
    : open_(std::move(open)), root_(std::move(root)) {}

Status Attachment::open_rings(size_t bytes_in_all) {
  raise_descriptor_limit();
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
  if (const int cycles = open_(cycle_counter(), 0, -1); cycles >= 0) {
    cycles_ = OwnedDescriptor(cycles);
  }
  const perf_event_attr attr = ring_event();
  for (const int cpu : cpus) {
    const int descriptor = open_(attr, 0, cpu);
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

int Attachment::open_one(const perf_event_attr& attr, Pid tid, size_t cpu, Profile profile,
                         std::vector<Event>& into) {
  const int descriptor = open_(attr, tid, owners_[cpu].cpu);
  if (descriptor < 0) return -descriptor;
  Event event{OwnedDescriptor(descriptor), 0, profile};
  const int owner = owners_[cpu].descriptor.get();
  if (::ioctl(descriptor, PERF_EVENT_IOC_SET_OUTPUT, owner) != 0 ||
      ::ioctl(descriptor, PERF_EVENT_IOC_ID, &event.id) != 0) {
    return errno;
  }
  into.push_back(std::move(event));
  return 0;
}

int Attachment::attach_thread(Pid tid) {
  struct Wanted {
    perf_event_attr attr;
    Profile profile;
  };
  std::vector<Wanted> wanted;
  if (!settings_.whole_machine) wanted.push_back({on_cpu_event(settings_), Profile::kOnCpu});
  if (settings_.off_cpu) wanted.push_back({off_cpu_event(settings_), Profile::kOffCpu});
  if (events_.size() + owners_.size() * wanted.size() > kMostEvents) return EMFILE;
  forget_old_ids();
  std::vector<Event> opened;
  for (size_t cpu = 0; cpu < owners_.size(); ++cpu) {
    for (const Wanted& event : wanted) {
      const int error = open_one(event.attr, tid, cpu, event.profile, opened);
      if (error != 0 && error != ENODEV) return error;
    }
  }
  for (Event& event : opened) {
    profiles_[event.id] = event.profile;
    events_.push_back(std::move(event));
  }
  covered_.insert(tid);
  return 0;
}

// Ids of closed events stay known for a while: what they wrote may not have been read yet.
void Attachment::forget_old_ids() {
  constexpr size_t kMostIds = 4 * kMostEvents;
  if (profiles_.size() < kMostIds) return;
  profiles_.clear();
  for (const Event& event : machine_events_) profiles_[event.id] = event.profile;
  for (const Event& event : events_) profiles_[event.id] = event.profile;
}

void Attachment::sample_machine() {
  constexpr Pid kEveryThread = -1;
  std::vector<Event> opened;
  for (size_t cpu = 0; cpu < owners_.size(); ++cpu) {
    const int error = open_one(on_cpu_event(settings_), kEveryThread, cpu, Profile::kOnCpu, opened);
    if (error != 0 && error != ENODEV) {
      problem_ = refusal("a processor is not sampled", error, root_);
    }
  }
  for (const Event& event : opened) profiles_[event.id] = event.profile;
  // The old ones go only now, so that no birth and no mapping is missed.
  machine_events_ = std::move(opened);
  machine_frequency_ = settings_.frequency;
}

void Attachment::attach(std::span<const TargetThread> threads) {
  problem_.clear();
  if (settings_.whole_machine && machine_frequency_ != settings_.frequency) sample_machine();
  for (const TargetThread& thread : threads) {
    if (covered_.contains(thread.tid)) continue;
    const int error = attach_thread(thread.tid);
    if (error != 0 && error != ESRCH && problem_.empty()) problem_ = explain(thread.pid, error);
    if (error == EMFILE) return;
  }
}

bool Attachment::misses(std::span<const TargetThread> threads) const {
  return std::any_of(threads.begin(), threads.end(),
                     [&](const TargetThread& t) { return !covered_.contains(t.tid); });
}

std::string Attachment::explain(Pid pid, int error) const {
  const std::string which = "threads of process " + std::to_string(pid) + " are not sampled";
  if (error == EMFILE && events_.size() + owners_.size() * 2 > kMostEvents) {
    return which + ": the target has too many threads for this machine's processors (" +
           std::to_string(kMostEvents) + " events at most)";
  }
  if (error == EACCES || error == EPERM) {
    return which +
           ": the process belongs to another user or may not be traced: run plumb as that "
           "user (with kernel.yama.ptrace_scope 0), or give plumb-host CAP_PERFMON";
  }
  return refusal(which, error, root_);
}

void Attachment::restart(std::span<const TargetThread> threads, const EventSettings& settings) {
  events_.clear();
  covered_.clear();
  settings_ = settings;
  attach(threads);
}

void Attachment::detach_all() {
  events_.clear();
  machine_events_.clear();
}

void Attachment::sweep() {
  std::vector<pollfd> polled;
  polled.reserve(events_.size());
  for (const Event& event : events_) polled.push_back({event.descriptor.get(), 0, 0});
  if (polled.empty() || ::poll(polled.data(), polled.size(), 0) <= 0) return;
  std::vector<Event> kept;
  for (size_t i = 0; i < events_.size(); ++i) {
    if ((polled[i].revents & POLLHUP) == 0) {
      kept.push_back(std::move(events_[i]));
    } else {
      profiles_.erase(events_[i].id);
    }
  }
  events_ = std::move(kept);
}

void Attachment::rest_off_cpu() {
  // Even an event that is disabled costs each switch something, one that is closed nothing.
  if (settings_.whole_machine) return events_.clear();
  for (const Event& event : events_) {
    if (event.profile == Profile::kOffCpu) {
      (void)::ioctl(event.descriptor.get(), PERF_EVENT_IOC_DISABLE, 0);
    }
  }
}

void Attachment::resume_off_cpu() {
  if (settings_.whole_machine) {
    events_.clear();
    const std::vector<Pid> threads(covered_.begin(), covered_.end());
    for (const Pid tid : threads) {
      if (attach_thread(tid) == EMFILE) return;
    }
    return;
  }
  for (const Event& event : events_) {
    if (event.profile == Profile::kOffCpu) {
      (void)::ioctl(event.descriptor.get(), PERF_EVENT_IOC_ENABLE, 0);
    }
  }
}

std::optional<Profile> Attachment::profile_of(uint64_t event_id) const {
  const auto it = profiles_.find(event_id);
  return it == profiles_.end() ? std::nullopt : std::optional(it->second);
}

double Attachment::seconds_per_period() const {
  constexpr double kClock = 1e-9;
  if (!settings_.hardware) return kClock;
  struct {
    uint64_t count, enabled_ns, running_ns;
  } own{};
  const bool read = ::read(cycles_.get(), &own, sizeof(own)) == sizeof(own);
  if (!read || own.count == 0 || own.running_ns == 0) return kClock / 3;
  return static_cast<double>(own.running_ns) * 1e-9 / static_cast<double>(own.count);
}

}  // namespace plumb::stack_profile
