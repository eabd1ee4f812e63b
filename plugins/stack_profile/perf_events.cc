#include "plugins/stack_profile/perf_events.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "plugins/proc/fields.h"
#include "plugins/proc/file.h"

namespace plumb::stack_profile {

namespace {

// Threads wait in shallower stacks than they work in, and may do it very often.
constexpr uint32_t kMostWaitingStackBytes = 8192;
constexpr uint32_t kWakeNever = 1u << 30;  // bytes; the rings are looked at by the clock

perf_event_attr common_event(uint32_t type, uint64_t config) {
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.type = type;
  attr.config = config;
  attr.exclude_hv = 1;
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
  attr.sample_id_all = 1;
  attr.watermark = 1;
  attr.wakeup_watermark = kWakeNever;
  return attr;
}

void ask_for_stacks(perf_event_attr& attr, const EventSettings& settings) {
  attr.freq = 1;
  attr.sample_type = sample_type(settings.stack_bytes > 0);
  attr.exclude_callchain_kernel = settings.kernel_frames ? 0 : 1;
  if (settings.stack_bytes > 0) {
    attr.sample_regs_user = register_mask();
    attr.sample_stack_user = settings.stack_bytes;
  }
}

std::optional<int64_t> number_in(const std::string& path) {
  proc::Buffer buffer;
  proc::Text text = buffer.read(path.c_str());
  return text.ok() ? proc::next_number<int64_t>(text.text) : std::nullopt;
}

bool refused_by_rights(int error) { return error == EACCES || error == EPERM; }

// Opens and closes at once; 0 or the errno.
int try_event(const OpenEvent& open, const perf_event_attr& attr, Pid tid = 0, int cpu = -1) {
  const int descriptor = open(attr, tid, cpu);
  if (descriptor < 0) return -descriptor;
  ::close(descriptor);
  return 0;
}

}  // namespace

const char* profile_name(Profile profile) {
  return profile == Profile::kOnCpu ? "on_cpu" : "off_cpu";
}

OpenEvent kernel_open_event() {
  return [](const perf_event_attr& attr, Pid tid, int cpu) -> int {
    const long descriptor =
        ::syscall(SYS_perf_event_open, &attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return descriptor < 0 ? -errno : static_cast<int>(descriptor);
  };
}

int EventKernel::join_ring(int descriptor, int owner, uint64_t& id) {
  const bool joined = ::ioctl(descriptor, PERF_EVENT_IOC_SET_OUTPUT, owner) == 0 &&
                      ::ioctl(descriptor, PERF_EVENT_IOC_ID, &id) == 0;
  return joined ? 0 : errno;
}

void EventKernel::enable_event(int descriptor, bool on) {
  (void)::ioctl(descriptor, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

uint64_t EventKernel::record_clock_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

perf_event_attr on_cpu_event(const EventSettings& settings) {
  perf_event_attr attr = common_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
  ask_for_stacks(attr, settings);
  attr.sample_freq = settings.frequency;
  attr.exclude_kernel = settings.count_kernel ? 0 : 1;
  attr.exclude_idle = settings.whole_machine ? 1 : 0;
  attr.inherit = settings.whole_machine ? 0 : 1;
  attr.mmap = 1;
  attr.mmap2 = 1;
  attr.comm = 1;
  attr.comm_exec = 1;
  attr.task = 1;
  return attr;
}

perf_event_attr off_cpu_event(const EventSettings& settings) {
  perf_event_attr attr = common_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES);
  ask_for_stacks(attr, settings);
  attr.sample_freq = settings.switch_frequency;
  attr.sample_stack_user = std::min(attr.sample_stack_user, kMostWaitingStackBytes);
  attr.context_switch = 1;
  attr.inherit = 1;
  return attr;
}

perf_event_attr ring_event() {
  perf_event_attr attr = common_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
  attr.exclude_kernel = 1;
  attr.sample_type = sample_type(false);
  return attr;
}

Access probe_access(const OpenEvent& open, const proc::Root& root) {
  Access access;
  EventSettings settings;
  int error = try_event(open, on_cpu_event(settings));
  if (refused_by_rights(error)) {
    settings.count_kernel = settings.kernel_frames = false;
    error = try_event(open, on_cpu_event(settings));
  }
  access.on_cpu = error == 0;
  if (!access.on_cpu) {
    access.refused = refusal("the target's stacks cannot be sampled", error, root);
    return access;
  }
  settings.whole_machine = true;
  error = try_event(open, on_cpu_event(settings), -1, 0);
  access.whole_machine = error == 0;
  if (!access.whole_machine) {
    access.machine_refused =
        refusal("threads that live for some milliseconds are not seen", error, root);
  }
  settings.whole_machine = false;
  access.count_kernel = settings.count_kernel;
  if (!settings.count_kernel) {
    access.kernel_refused = refusal("time inside the kernel is not seen", EACCES, root);
  }
  // A context switch happens inside the kernel, so whoever may not look there sees none.
  error = try_event(open, off_cpu_event(settings));
  access.off_cpu = error == 0 && settings.count_kernel;
  if (!access.off_cpu) {
    access.off_cpu_refused = refusal("what threads wait for off the processor cannot be seen",
                                     error != 0 ? error : EACCES, root);
  }
  return access;
}

std::string refusal(const std::string& what, int error, const proc::Root& root) {
  if (error == ENOSYS) return what + ": this kernel has no perf events (CONFIG_PERF_EVENTS)";
  if (error == EMFILE || error == ENFILE) {
    return what + ": too few file descriptors: raise the limit (ulimit -n, LimitNOFILE=)";
  }
  if (!refused_by_rights(error)) {
    return what + ": perf_event_open: " + std::strerror(error);
  }
  const auto level = number_in(root.proc + "/sys/kernel/perf_event_paranoid");
  const std::string remedy = "give plumb-host CAP_PERFMON (before Linux 5.8: CAP_SYS_ADMIN)";
  if (!level) return what + ": perf_event_open is refused: " + remedy;
  const std::string is = ": kernel.perf_event_paranoid is " + std::to_string(*level);
  if (*level > 2) return what + is + ": set it to 1 (2: without the kernel), or " + remedy;
  if (*level == 2) return what + is + ": set it to 1, or " + remedy;
  return what + is +
         ", yet perf_event_open is refused: a seccomp filter, as containers have one, " +
         "forbids it: allow the call in its profile, and " + remedy;
}

}  // namespace plumb::stack_profile
