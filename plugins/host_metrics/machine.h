// What the machine as a whole reports: parsers of /proc text. Each gives nothing, or leaves out the
// entry, for text that is torn, hostile or absent: never a partial value.
#ifndef PLUMB_PLUGINS_HOST_METRICS_MACHINE_H_
#define PLUMB_PLUGINS_HOST_METRICS_MACHINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::host_metrics {

// /proc/stat, in ticks. Guest time is part of user time, as the kernel counts it.
struct CpuTicks {
  uint64_t user = 0;       // nice included
  uint64_t system = 0;     // without interrupts
  uint64_t interrupt = 0;  // hard and soft
  uint64_t idle = 0;
  uint64_t iowait = 0;
  uint64_t steal = 0;
  unsigned cpus = 0;  // online
  uint64_t busy() const { return user + system + interrupt + steal; }
};
std::optional<CpuTicks> parse_cpu(std::string_view stat);

// Share of all processors not idle between two readings; nothing when no time has passed. Stolen
// time counts as busy: it is not on offer.
std::optional<double> busy_ratio(const CpuTicks& before, const CpuTicks& now);

// Tasks running or waiting for a processor, from /proc/loadavg.
std::optional<uint64_t> parse_runnable(std::string_view loadavg);

struct Memory {
  uint64_t total = 0;
  uint64_t available = 0;
  uint64_t swap_used = 0;
};
std::optional<Memory> parse_memory(std::string_view meminfo);

// /proc/pressure/<resource>: microseconds. `full` is absent where the kernel has none.
struct Pressure {
  std::optional<uint64_t> some_us;
  std::optional<uint64_t> full_us;
};
std::optional<Pressure> parse_pressure(std::string_view text);

struct Disk {
  std::string device;
  uint64_t operations = 0;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
  uint64_t busy_ms = 0;
};
// All block devices of /proc/diskstats; is_whole_disk() tells which count.
std::vector<Disk> parse_disks(std::string_view diskstats);
// By name alone: no partition, loop, ram, optical or stacked device (what dm and md carry is
// counted at the disks below them).
bool is_whole_disk(std::string_view device);

struct Interface {
  std::string name;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  uint64_t drops = 0;  // in both directions
};
// Without lo.
std::vector<Interface> parse_interfaces(std::string_view net_dev);

// A value of /proc/net/snmp or /proc/net/netstat: protocol "Tcp", key "RetransSegs".
std::optional<uint64_t> parse_protocol_counter(std::string_view text, std::string_view protocol,
                                               std::string_view key);

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_MACHINE_H_
