#include "plugins/pg_stats/backend_times.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

namespace plumb::pg_stats {

std::optional<std::string> ProcTree::read(int pid, const char* file) const {
  const std::string path = root_ + "/" + std::to_string(pid) + "/" + file;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char buffer[512];
  const ssize_t n = ::read(fd, buffer, sizeof(buffer));
  ::close(fd);
  if (n < 0) return std::nullopt;
  return std::string(buffer, static_cast<size_t>(n));
}

std::optional<SchedTimes> ProcTree::sched_times(int pid) const {
  const std::optional<std::string> text = read(pid, "schedstat");
  if (!text) return std::nullopt;
  const char* const end = text->data() + text->size();
  SchedTimes times;
  const auto cpu = std::from_chars(text->data(), end, times.cpu_ns);
  if (cpu.ec != std::errc() || cpu.ptr == end || *cpu.ptr != ' ') return std::nullopt;
  const auto wait = std::from_chars(cpu.ptr + 1, end, times.runqueue_ns);
  if (wait.ec != std::errc()) return std::nullopt;
  return times;
}

bool ProcTree::is_backend_of(int pid, const std::string& database) const {
  const std::optional<std::string> name = read(pid, "comm");
  if (!name || *name != "postgres\n") return false;
  // "postgres: [cluster: ]user database host(port) state", unless update_process_title is off at
  // the start, which leaves the postmaster's command line.
  const std::optional<std::string> title = read(pid, "cmdline");
  if (!title || !title->starts_with("postgres: ")) return true;
  return title->find(" " + database + " ") != std::string::npos;
}

void BackendTimes::update(const ProcTree& proc, std::span<const int> pids) {
  std::unordered_map<int, SchedTimes> now;
  now.reserve(pids.size());
  for (const int pid : pids) {
    const std::optional<SchedTimes> times = proc.sched_times(pid);
    if (!times) continue;
    SchedTimes before;
    if (const auto known = last_.find(pid); known != last_.end()) {
      before = known->second;
      // The pid was given to a new process, which counts from its birth.
      if (times->cpu_ns < before.cpu_ns) before = {};
    } else if (first_) {
      before = *times;
    }
    total_.cpu_ns += times->cpu_ns - before.cpu_ns;
    if (times->runqueue_ns > before.runqueue_ns)
      total_.runqueue_ns += times->runqueue_ns - before.runqueue_ns;
    now.emplace(pid, *times);
  }
  last_ = std::move(now);
  first_ = false;
}

}  // namespace plumb::pg_stats
