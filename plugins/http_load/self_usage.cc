#include "plugins/http_load/self_usage.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace plumb::http_load {

double SelfUsage::cpu_seconds() const {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
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
