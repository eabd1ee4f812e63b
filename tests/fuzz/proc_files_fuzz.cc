// Any bytes as each of the files that the host's sampler reads: no crash, nothing beyond the text,
// and no number that the plugin could not hold: no fall, no infinity, no share above one.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/host_metrics/cgroup.h"
#include "plugins/host_metrics/machine.h"
#include "plugins/host_metrics/target_memory.h"
#include "plugins/proc/stat.h"

namespace {

using namespace plumb::host_metrics;

void demand(bool holds) {
  if (!holds) __builtin_trap();
}

void demand_ratio(const std::optional<double>& ratio) {
  if (ratio) demand(*ratio >= 0 && *ratio <= 1);
}

void machine_files(std::string_view text, std::string_view later) {
  const auto before = parse_cpu(text);
  const auto now = parse_cpu(later);
  if (before && now) demand_ratio(busy_ratio(*before, *now));
  std::vector<CoreTicks> cores, cores_later;
  parse_cores(text, cores);
  parse_cores(later, cores_later);
  for (size_t i = 0; i < cores.size() && i < cores_later.size(); ++i) {
    demand_ratio(busy_ratio(cores[i], cores_later[i]));
  }
  (void)parse_scheduling(text);
  (void)parse_runnable(text);
  if (const auto memory = parse_memory(text)) demand(memory->total % 1024 == 0);
  (void)parse_paging(text);
  (void)parse_pressure(text);
  for (const Disk& disk : parse_disks(text)) demand(disk.read_bytes % 512 == 0);
  demand(parse_interfaces(text).size() <= 256);
  const std::string_view keys[] = {"RetransSegs", "A"};
  std::optional<uint64_t> values[2];
  parse_protocol_counters(text, "Tcp", keys, values);
  (void)parse_sockstat(text);
  if (const auto range = parse_port_range(text)) demand(range->size() >= 1);
}

void cgroup_files(std::string_view text) {
  const CgroupPaths paths = parse_cgroup_paths(text);
  for (const std::string* path : {&paths.unified, &paths.cpu, &paths.memory, &paths.blkio}) {
    demand(path->empty() || path->front() == '/');
  }
  (void)service_name(paths.service());
  (void)service_name(text);
  (void)parse_throttling(text);
  if (const auto quota = parse_cpu_max(text)) demand(std::isfinite(*quota) && *quota > 0);
  (void)parse_memory_events(text);
  (void)parse_io_stat(text);
  (void)parse_blkio(text);
  (void)parse_lone_number(text);
  (void)parse_smaps_rollup(text);
}

void process_files(std::string_view text) {
  if (const auto stat = plumb::proc::parse_stat(text)) demand(stat->pid > 0 && stat->ppid >= 0);
  (void)plumb::proc::parse_block_delay(text);
  (void)plumb::proc::parse_state(text);
  (void)plumb::proc::parse_schedstat(text);
  (void)plumb::proc::parse_switches(text);
  (void)plumb::proc::parse_io(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // Copied, so that a read beyond either is seen.
  const std::string all(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = all.empty() ? 0 : data[0] * all.size() / 256;
  const std::vector<char> first(all.begin(), all.begin() + static_cast<ptrdiff_t>(cut));
  const std::vector<char> second(all.begin() + static_cast<ptrdiff_t>(cut), all.end());
  const std::string_view text(first.data(), first.size());
  const std::string_view later(second.data(), second.size());
  machine_files(text, later);
  machine_files(all, all);
  cgroup_files(text);
  process_files(later);
  return 0;
}
