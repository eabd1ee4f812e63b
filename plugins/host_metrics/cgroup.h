// Control groups: which ones a process is in, where their files lie (version 1, version 2, or both
// at once), and parsers of those files. Each parser gives nothing for text that is torn, hostile or
// of another format.
#ifndef PLUMB_PLUGINS_HOST_METRICS_CGROUP_H_
#define PLUMB_PLUGINS_HOST_METRICS_CGROUP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/proc/root.h"
#include "plugins/proc/stat.h"

namespace plumb::host_metrics {

// /proc/PID/cgroup: the path in each hierarchy, empty where there is none.
struct CgroupPaths {
  std::string unified;                    // version 2
  std::string cpu, memory, blkio, named;  // version 1; `named` is systemd's own
  bool operator==(const CgroupPaths&) const = default;
  // What tells one service of the machine from another; may be empty.
  const std::string& service() const;
};
CgroupPaths parse_cgroup_paths(std::string_view text);

// A cgroup's directory and those around it, the innermost first. Where the path cannot be seen from
// here (a container that has only its own part mounted), the mounted root alone.
struct CgroupLevels {
  bool version2 = false;
  std::vector<std::string> directories;  // at most 16; empty: the hierarchy is not mounted
  // The cgroup of the whole machine: what it counts is not the target's.
  bool is_machine = false;
};
enum class Controller { kCpu, kMemory, kIo };
CgroupLevels find_levels(const proc::Root& root, const CgroupPaths& paths, Controller controller);

// cpu.stat of either version. Absent where the group has no quota.
struct Throttling {
  uint64_t periods = 0;
  uint64_t throttled_periods = 0;
  uint64_t throttled_ns = 0;  // summed over processors
};
std::optional<Throttling> parse_throttling(std::string_view cpu_stat);

// Processors that a quota allows; nothing for "max". "150000 100000" is 1.5.
std::optional<double> parse_cpu_max(std::string_view cpu_max);
// The tightest of the levels' quotas; nothing when there is none.
std::optional<double> quota_of(const CgroupLevels& levels);

// memory.events of version 2, or what memory.oom_control and memory.failcnt say in version 1.
struct MemoryEvents {
  uint64_t high = 0;
  uint64_t max = 0;
  uint64_t oom = 0;
  uint64_t oom_kill = 0;
};
std::optional<MemoryEvents> parse_memory_events(std::string_view text);

// Bytes of all devices: io.stat of version 2, blkio.throttle.io_service_bytes of version 1.
std::optional<proc::StorageBytes> parse_io_stat(std::string_view text);
std::optional<proc::StorageBytes> parse_blkio(std::string_view text);

// A whole file that is one number and a newline; nothing for "max".
std::optional<uint64_t> parse_lone_number(std::string_view text);

// "shop.service" of "/system.slice/shop.service", "docker-0123456789ab" of a container's scope:
// short enough for a label; empty for the root and for what only a user's session or plain slices
// hold.
std::string service_name(std::string_view cgroup_path);

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_CGROUP_H_
