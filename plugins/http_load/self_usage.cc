#include "plugins/http_load/self_usage.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace plumb::http_load {
namespace {

constexpr int kDeepestCgroup = 32;

// What one cgroup's own quota came to.
std::optional<double> throttled_in(const std::filesystem::path& cpu_stat) {
  std::ifstream in(cpu_stat);
  std::string key;
  double value = 0;
  std::optional<double> periods;
  std::optional<double> throttled;
  while (in >> key >> value) {
    if (key == "nr_periods") periods = value;
    if (key == "throttled_usec") throttled = value / 1e6;  // version 2
    if (key == "throttled_time") throttled = value / 1e9;  // version 1
  }
  return periods.value_or(0) > 0 ? throttled : std::nullopt;
}

}  // namespace

double SelfUsage::cpu_seconds() const {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// The directory of this process in the hierarchy that controls processors: version 2, or the
// controller `cpu` of version 1. Empty when there is none.
std::string SelfUsage::own_cgroup() {
  std::ifstream in("/proc/self/cgroup");
  std::string unified;
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    if (controllers.find(",cpu,") != std::string::npos) return "/sys/fs/cgroup/cpu" + path;
    if (controllers == ",,") unified = "/sys/fs/cgroup" + path;
  }
  return unified;
}

std::optional<double> SelfUsage::throttled_seconds() const {
  std::optional<double> most;
  std::filesystem::path at = cgroup_;
  for (int depth = 0; depth < kDeepestCgroup && at.has_relative_path(); ++depth) {
    if (const auto here = throttled_in(at / "cpu.stat")) most = std::max(most.value_or(0), *here);
    at = at.parent_path();
  }
  return most;
}

std::optional<double> SelfUsage::runqueue_seconds() {
  std::map<std::string, uint64_t> now;
  std::error_code error;
  std::filesystem::directory_iterator at(task_root_, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    std::ifstream in(at->path() / "schedstat");
    uint64_t ran_ns = 0;
    uint64_t waited_ns = 0;
    if (!(in >> ran_ns >> waited_ns)) continue;  // the thread has just ended
    const std::string thread = at->path().filename().string();
    const auto before = waited_ns_.find(thread);
    // A number that fell belongs to a new thread of the same id.
    const bool known = before != waited_ns_.end() && before->second <= waited_ns;
    total_ns_ += waited_ns - (known ? before->second : 0);
    now.emplace(thread, waited_ns);
  }
  if (now.empty()) return std::nullopt;
  waited_ns_ = std::move(now);
  return static_cast<double>(total_ns_) / 1e9;
}

}  // namespace plumb::http_load
