// What the machine as a whole reports: parsers of /proc text. Each gives nothing, or leaves out the
// entry, for text that is torn, hostile or absent: never a partial value.
#ifndef PLUMB_PLUGINS_HOST_METRICS_MACHINE_H_
#define PLUMB_PLUGINS_HOST_METRICS_MACHINE_H_

#include <cstdint>
#include <optional>
#include <span>
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

// The same of each processor, in the order of the file; at most 1,024.
struct CoreTicks {
  unsigned core = 0;
  uint64_t busy = 0;
  uint64_t idle = 0;  // iowait included
};
void parse_cores(std::string_view stat, std::vector<CoreTicks>& out);
// Nothing when no time has passed or a clock went backwards.
std::optional<double> busy_ratio(const CoreTicks& before, const CoreTicks& now);

// The rest of /proc/stat. Absent: the line is missing or torn.
struct Scheduling {
  std::optional<uint64_t> context_switches;
  std::optional<uint64_t> forks;
  std::optional<uint64_t> blocked;  // tasks waiting for a disk, at an instant
};
Scheduling parse_scheduling(std::string_view stat);

// Share of all processors not idle between two readings; nothing when no time has passed. Stolen
// time counts as busy: it is not on offer.
std::optional<double> busy_ratio(const CpuTicks& before, const CpuTicks& now);

// Tasks running or waiting for a processor, from /proc/loadavg.
std::optional<uint64_t> parse_runnable(std::string_view loadavg);

struct Memory {
  uint64_t total = 0;
  uint64_t available = 0;
  uint64_t swap_used = 0;
  std::optional<uint64_t> dirty;      // waits to be written to a disk
  std::optional<uint64_t> writeback;  // is being written
};
std::optional<Memory> parse_memory(std::string_view meminfo);

// /proc/vmstat. Absent: this kernel does not count it, or the text is torn.
struct Paging {
  std::optional<uint64_t> swapped_in_pages;
  std::optional<uint64_t> swapped_out_pages;
  std::optional<uint64_t> major_faults;
  std::optional<uint64_t> oom_kills;
};
Paging parse_paging(std::string_view vmstat);

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
  uint64_t waited_ms = 0;  // of all reads and writes together, from request to completion
  uint64_t queued_ms = 0;  // time times requests in flight
  uint64_t in_flight = 0;
};
// All block devices of /proc/diskstats, partitions too.
std::vector<Disk> parse_disks(std::string_view diskstats);

struct Interface {
  std::string name;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  uint64_t drops = 0;   // in both directions
  uint64_t errors = 0;  // likewise
};
// Without lo.
std::vector<Interface> parse_interfaces(std::string_view net_dev);

// Values of /proc/net/snmp or /proc/net/netstat: of protocol "Tcp" those of `keys`, in their order;
// absent where the kernel has none of that name, or the text is torn.
void parse_protocol_counters(std::string_view text, std::string_view protocol,
                             std::span<const std::string_view> keys,
                             std::span<std::optional<uint64_t>> out);

// /proc/net/sockstat, of TCP over IPv4 and IPv6.
struct SocketTotals {
  uint64_t time_wait = 0;
  uint64_t orphans = 0;
};
std::optional<SocketTotals> parse_sockstat(std::string_view sockstat);

// "32768\t60999": the ports that outgoing connections get.
struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;
  unsigned size() const { return 1u + last - first; }
};
std::optional<PortRange> parse_port_range(std::string_view text);

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_MACHINE_H_
