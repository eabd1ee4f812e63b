#include "plugins/host_metrics/machine.h"

#include <algorithm>
#include <array>

#include "plugins/proc/fields.h"

namespace plumb::host_metrics {

using proc::next_line;
using proc::next_number;
using proc::next_word;
using proc::to_number;

namespace {

constexpr uint64_t kSectorBytes = 512;  // of /proc/diskstats, whatever the device's own size
constexpr size_t kMostEntries = 256;
constexpr size_t kMostCores = 1024;
constexpr uint64_t kMostTicks = uint64_t{1} << 56;

// Of text with lines "KEY NUMBER", the numbers of `keys`, in one walk.
template <size_t N>
std::array<std::optional<uint64_t>, N> numbers_of(std::string_view text,
                                                  const std::array<std::string_view, N>& keys) {
  std::array<std::optional<uint64_t>, N> out{};
  size_t left = N;
  while (!text.empty() && left > 0) {
    bool ended = false;
    std::string_view line = next_line(text, &ended);
    if (!ended) break;
    const std::string_view key = next_word(line);
    for (size_t i = 0; i < N; ++i) {
      if (key != keys[i] || out[i]) continue;
      out[i] = next_number(line);
      --left;
    }
  }
  return out;
}

}  // namespace

std::optional<CpuTicks> parse_cpu(std::string_view stat) {
  bool ended = false;
  std::string_view line = next_line(stat, &ended);
  if (!ended || next_word(line) != "cpu") return std::nullopt;
  std::array<uint64_t, 8> t{};  // user nice system idle iowait irq softirq steal
  for (uint64_t& value : t) {
    const auto number = next_number(line);
    if (!number || *number > kMostTicks) return std::nullopt;
    value = *number;
  }
  CpuTicks out;
  out.user = t[0] + t[1];
  out.system = t[2];
  out.idle = t[3];
  out.iowait = t[4];
  out.interrupt = t[5] + t[6];
  out.steal = t[7];
  while (!stat.empty()) {
    line = next_line(stat, &ended);
    if (!line.starts_with("cpu")) break;
    if (ended) ++out.cpus;
  }
  if (out.cpus == 0) return std::nullopt;
  return out;
}

std::optional<double> busy_ratio(const CpuTicks& before, const CpuTicks& now) {
  // Idle and iowait together never fall; apart, the kernel lets iowait slip back.
  const uint64_t idle_before = before.idle + before.iowait;
  const uint64_t idle_now = now.idle + now.iowait;
  if (now.busy() < before.busy() || idle_now < idle_before) return std::nullopt;
  const uint64_t busy = now.busy() - before.busy();
  const uint64_t total = busy + (idle_now - idle_before);
  if (total == 0) return std::nullopt;
  return static_cast<double>(busy) / static_cast<double>(total);
}

std::optional<uint64_t> parse_runnable(std::string_view loadavg) {
  for (int i = 0; i < 3; ++i) next_word(loadavg);
  const std::string_view tasks = next_word(loadavg);
  const size_t slash = tasks.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return to_number(tasks.substr(0, slash));
}

std::optional<Memory> parse_memory(std::string_view meminfo) {
  // "MemTotal:  24682416 kB"
  auto v = numbers_of<6>(
      meminfo, {"MemTotal:", "MemAvailable:", "SwapTotal:", "SwapFree:", "Dirty:", "Writeback:"});
  for (auto& value : v) {
    if (value && *value > UINT64_MAX / 1024) return std::nullopt;
    if (value) *value *= 1024;
  }
  if (!v[0] || !v[1] || !v[2] || !v[3] || *v[3] > *v[2]) return std::nullopt;
  return Memory{*v[0], *v[1], *v[2] - *v[3], v[4], v[5]};
}

Paging parse_paging(std::string_view vmstat) {
  const auto v = numbers_of<4>(vmstat, {"pswpin", "pswpout", "pgmajfault", "oom_kill"});
  return {v[0], v[1], v[2], v[3]};
}

Scheduling parse_scheduling(std::string_view stat) {
  const auto v = numbers_of<3>(stat, {"ctxt", "processes", "procs_blocked"});
  return {v[0], v[1], v[2]};
}

void parse_cores(std::string_view stat, std::vector<CoreTicks>& out) {
  out.clear();
  next_line(stat);
  while (stat.starts_with("cpu") && out.size() < kMostCores) {
    bool ended = false;
    std::string_view line = next_line(stat, &ended);
    const auto core = to_number<unsigned>(next_word(line).substr(3));
    std::array<uint64_t, 8> t{};  // user nice system idle iowait irq softirq steal
    bool whole = ended && core.has_value();
    for (uint64_t& value : t) {
      const auto number = next_number(line);
      whole = whole && number && *number < kMostTicks;
      value = number.value_or(0);
    }
    if (whole) out.push_back({*core, t[0] + t[1] + t[2] + t[5] + t[6] + t[7], t[3] + t[4]});
  }
}

std::optional<double> busy_ratio(const CoreTicks& before, const CoreTicks& now) {
  if (now.busy < before.busy || now.idle < before.idle) return std::nullopt;
  const uint64_t busy = now.busy - before.busy;
  const uint64_t total = busy + (now.idle - before.idle);
  if (total == 0) return std::nullopt;
  return static_cast<double>(busy) / static_cast<double>(total);
}

std::optional<Pressure> parse_pressure(std::string_view text) {
  Pressure out;
  while (!text.empty()) {
    bool ended = false;
    std::string_view line = next_line(text, &ended);
    const std::string_view kind = next_word(line);
    const size_t at = line.rfind("total=");
    if (!ended || at == std::string_view::npos) continue;
    const auto total = to_number(line.substr(at + 6));
    if (kind == "some") out.some_us = total;
    if (kind == "full") out.full_us = total;
  }
  if (!out.some_us && !out.full_us) return std::nullopt;
  return out;
}

std::vector<Disk> parse_disks(std::string_view diskstats) {
  std::vector<Disk> out;
  while (!diskstats.empty() && out.size() < kMostEntries) {
    bool ended = false;
    std::string_view line = next_line(diskstats, &ended);
    next_word(line);
    next_word(line);
    const std::string_view device = next_word(line);
    // reads merged sectors ms, writes merged sectors ms, in flight, busy ms, ms times in flight
    std::array<uint64_t, 11> f{};
    bool whole = ended && !device.empty();
    for (uint64_t& value : f) {
      const auto number = next_number(line);
      whole = whole && number.has_value();
      value = number.value_or(0);
    }
    if (!whole || f[2] > UINT64_MAX / kSectorBytes || f[6] > UINT64_MAX / kSectorBytes) continue;
    out.push_back({std::string(device), f[0] + f[4], f[2] * kSectorBytes, f[6] * kSectorBytes, f[9],
                   f[3] + f[7], f[10], f[8]});
  }
  return out;
}

std::vector<Interface> parse_interfaces(std::string_view net_dev) {
  std::vector<Interface> out;
  next_line(net_dev);
  next_line(net_dev);
  while (!net_dev.empty() && out.size() < kMostEntries) {
    bool ended = false;
    std::string_view line = next_line(net_dev, &ended);
    const size_t colon = line.rfind(':');
    if (!ended || colon == std::string_view::npos) continue;
    std::string_view head = line.substr(0, colon);
    const std::string_view name = next_word(head);
    line.remove_prefix(colon + 1);
    std::array<uint64_t, 12> f{};  // received: bytes packets errors drops ...; sent from 8 likewise
    bool whole = true;
    for (uint64_t& value : f) {
      const auto number = next_number(line);
      whole = whole && number.has_value();
      value = number.value_or(0);
    }
    if (!whole || name.empty() || name == "lo") continue;
    out.push_back({std::string(name), f[0], f[8], f[3] + f[11], f[2] + f[10]});
  }
  return out;
}

void parse_protocol_counters(std::string_view text, std::string_view protocol,
                             std::span<const std::string_view> keys,
                             std::span<std::optional<uint64_t>> out) {
  std::fill(out.begin(), out.end(), std::nullopt);
  // Two lines per protocol: "Tcp: NAME NAME ..." and "Tcp: NUMBER NUMBER ...".
  while (!text.empty()) {
    std::string_view names = next_line(text);
    std::string_view head = next_word(names);
    if (!head.ends_with(':') || head.substr(0, head.size() - 1) != protocol) continue;
    bool ended = false;
    std::string_view values = next_line(text, &ended);
    if (!ended || next_word(values) != head) return;
    while (true) {
      const std::string_view name = next_word(names);
      const std::string_view value = next_word(values);
      if (name.empty() || value.empty()) return;
      for (size_t i = 0; i < keys.size(); ++i) {
        if (name == keys[i]) out[i] = to_number(value);
      }
    }
  }
}

std::optional<SocketTotals> parse_sockstat(std::string_view text) {
  while (!text.empty()) {
    bool ended = false;
    std::string_view line = next_line(text, &ended);
    if (next_word(line) != "TCP:") continue;
    SocketTotals out;
    bool any = false;
    while (ended) {
      const std::string_view key = next_word(line);
      const auto value = next_number(line);
      if (key.empty()) break;
      if (!value) return std::nullopt;
      if (key == "tw") out.time_wait = *value;
      if (key == "orphan") out.orphans = *value;
      any = any || key == "tw";
    }
    return any ? std::optional(out) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<PortRange> parse_port_range(std::string_view text) {
  const auto first = next_number<uint16_t>(text);
  const auto last = next_number<uint16_t>(text);
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

}  // namespace plumb::host_metrics
