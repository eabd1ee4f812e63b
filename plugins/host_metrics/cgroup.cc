#include "plugins/host_metrics/cgroup.h"

#include <unistd.h>

#include <algorithm>
#include <initializer_list>

#include "plugins/proc/fields.h"
#include "plugins/proc/file.h"

namespace plumb::host_metrics {

namespace {

constexpr size_t kMostLevels = 16;
constexpr size_t kIdDigits = 12;  // of a container's id, as docker shows it

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// "cpu,cpuacct" holds "cpu".
bool holds(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (list.substr(0, comma) == name) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

std::string first_that_exists(const std::string& base, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (exists(base + name)) return base + name;
  }
  return {};
}

bool is_service(std::string_view part) {
  return part.ends_with(".service") || (part.ends_with(".scope") && !part.starts_with("session-"));
}

bool is_hex_id(std::string_view text) {
  return text.size() >= 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// The value of "rbytes=4096" when `word` is of that key.
std::optional<uint64_t> value_of(std::string_view word, std::string_view key) {
  if (!word.starts_with(key)) return std::nullopt;
  return proc::to_number(word.substr(key.size()));
}

bool add_to(uint64_t& sum, uint64_t more) { return !__builtin_add_overflow(sum, more, &sum); }

}  // namespace

const std::string& CgroupPaths::service() const {
  if (unified.size() > 1) return unified;
  if (named.size() > 1) return named;
  return memory.size() > 1 ? memory : cpu;
}

CgroupPaths parse_cgroup_paths(std::string_view text) {
  CgroupPaths out;
  while (!text.empty()) {
    // "0::/system.slice/shop.service" or "3:cpu,cpuacct:/shop"
    bool ended = false;
    std::string_view line = proc::next_line(text, &ended);
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (!ended || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (path.empty() || path.front() != '/') continue;
    if (controllers.empty()) out.unified = path;
    if (controllers == "name=systemd") out.named = path;
    if (holds(controllers, "cpu")) out.cpu = path;
    if (holds(controllers, "memory")) out.memory = path;
    if (holds(controllers, "blkio")) out.blkio = path;
  }
  return out;
}

CgroupLevels find_levels(const proc::Root& root, const CgroupPaths& paths, Controller controller) {
  CgroupLevels out;
  const std::string* path = controller == Controller::kCpu      ? &paths.cpu
                            : controller == Controller::kMemory ? &paths.memory
                                                                : &paths.blkio;
  std::string mount;
  const std::string base = root.sys + "/fs/cgroup";
  if (!path->empty()) {
    mount = controller == Controller::kCpu
                ? first_that_exists(base, {"/cpu", "/cpu,cpuacct", "/cpuacct,cpu"})
            : controller == Controller::kMemory ? first_that_exists(base, {"/memory"})
                                                : first_that_exists(base, {"/blkio"});
  } else if (!paths.unified.empty()) {
    path = &paths.unified;
    out.version2 = true;
    const std::string unified = base + "/unified";
    mount = exists(unified) ? unified : exists(base) ? base : std::string();
  }
  if (mount.empty()) return out;
  std::string below = *path;
  while (below.ends_with('/')) below.pop_back();
  // Outside of what is mounted here, or of this cgroup namespace.
  if (below.find("/..") != std::string::npos || !exists(mount + below)) below.clear();
  while (out.directories.size() < kMostLevels) {
    out.directories.push_back(mount + below);
    if (below.empty()) break;
    below.erase(below.rfind('/'));
  }
  // Files that every cgroup but the machine's has (version 2), or that only the machine's has.
  const std::string& own = out.directories.front();
  out.is_machine = out.version2 ? !exists(own + "/cgroup.events") : exists(own + "/release_agent");
  return out;
}

std::optional<Throttling> parse_throttling(std::string_view text) {
  const auto periods = proc::number_after(text, "nr_periods ");
  const auto throttled = proc::number_after(text, "nr_throttled ");
  if (!periods || !throttled) return std::nullopt;
  if (const auto us = proc::number_after(text, "throttled_usec "); us && *us < UINT64_MAX / 1000) {
    return Throttling{*periods, *throttled, *us * 1000};
  }
  const auto ns = proc::number_after(text, "throttled_time ");
  if (!ns) return std::nullopt;
  return Throttling{*periods, *throttled, *ns};
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const auto allowed = proc::next_number(text);
  const auto period = proc::next_number(text);
  if (!allowed || !period || *allowed == 0 || *period == 0) return std::nullopt;
  return static_cast<double>(*allowed) / static_cast<double>(*period);
}

std::optional<double> quota_of(const CgroupLevels& levels) {
  proc::Buffer buffer;
  std::optional<double> tightest;
  for (const std::string& at : levels.directories) {
    std::optional<double> quota;
    if (levels.version2) {
      const proc::Text text = buffer.read((at + "/cpu.max").c_str());
      if (text.ok()) quota = parse_cpu_max(text.text);
    } else {
      const auto number = [&](const char* leaf) -> uint64_t {
        const proc::Text text = buffer.read((at + leaf).c_str());
        return text.ok() ? parse_lone_number(text.text).value_or(0) : 0;
      };
      // No quota is -1.
      const uint64_t allowed = number("/cpu.cfs_quota_us");
      const uint64_t period = number("/cpu.cfs_period_us");
      if (allowed > 0 && period > 0) {
        quota = static_cast<double>(allowed) / static_cast<double>(period);
      }
    }
    if (quota) tightest = std::min(*quota, tightest.value_or(*quota));
  }
  return tightest;
}

std::optional<MemoryEvents> parse_memory_events(std::string_view text) {
  const auto max = proc::number_after(text, "max ");
  const auto oom = proc::number_after(text, "oom ");
  if (!max || !oom) return std::nullopt;
  // Kernels before 4.19 do not tell the kills; a line that is missing counts nothing.
  return MemoryEvents{proc::number_after(text, "high ").value_or(0), *max, *oom,
                      proc::number_after(text, "oom_kill ").value_or(0)};
}

std::optional<proc::StorageBytes> parse_io_stat(std::string_view text) {
  proc::StorageBytes out;
  while (!text.empty()) {
    bool ended = false;
    std::string_view line = proc::next_line(text, &ended);
    if (!ended) return std::nullopt;
    for (std::string_view word = proc::next_word(line); !word.empty();
         word = proc::next_word(line)) {
      bool fits = true;
      if (const auto bytes = value_of(word, "rbytes=")) fits = add_to(out.read, *bytes);
      if (const auto bytes = value_of(word, "wbytes=")) fits = add_to(out.written, *bytes);
      if (!fits) return std::nullopt;
    }
  }
  return out;
}

std::optional<proc::StorageBytes> parse_blkio(std::string_view text) {
  proc::StorageBytes out;
  bool whole = false;  // the last line is "Total 12288"
  while (!text.empty()) {
    bool ended = false;
    std::string_view line = proc::next_line(text, &ended);
    if (!ended) return std::nullopt;
    whole = line.starts_with("Total ");
    proc::next_word(line);  // "254:0"
    const std::string_view operation = proc::next_word(line);
    const auto bytes = proc::next_number(line);
    if (!bytes) continue;
    bool fits = true;
    if (operation == "Read") fits = add_to(out.read, *bytes);
    if (operation == "Write") fits = add_to(out.written, *bytes);
    if (!fits) return std::nullopt;
  }
  return whole ? std::optional(out) : std::nullopt;
}

std::optional<uint64_t> parse_lone_number(std::string_view text) {
  if (text.empty() || text.back() != '\n') return std::nullopt;
  return proc::to_number(text.substr(0, text.size() - 1));
}

std::string service_name(std::string_view path) {
  std::string_view found;
  while (!path.empty()) {
    const size_t slash = path.rfind('/');
    const std::string_view part = slash == std::string_view::npos ? path : path.substr(slash + 1);
    // The outermost service wins: what it divides itself into is its own business.
    if (is_service(part)) found = part;
    if (found.empty() && is_hex_id(part)) {
      return "container-" + std::string(part.substr(0, kIdDigits));
    }
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
  if (found.ends_with(".scope")) {
    // "docker-<64 digits>.scope", "cri-containerd-<64 digits>.scope"
    std::string_view stem = found.substr(0, found.size() - 6);
    const size_t dash = stem.rfind('-');
    if (dash != std::string_view::npos && is_hex_id(stem.substr(dash + 1))) {
      return std::string(stem.substr(0, dash + 1 + kIdDigits));
    }
    return std::string(stem);
  }
  if (found.starts_with("user@")) return {};
  return std::string(found);
}

}  // namespace plumb::host_metrics
