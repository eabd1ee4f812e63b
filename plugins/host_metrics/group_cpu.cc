#include "plugins/host_metrics/group_cpu.h"

#include <algorithm>

#include "plugins/proc/stat.h"

namespace plumb::host_metrics {

namespace {
constexpr size_t kMostKept = 128;
}

uint64_t GroupCpu::update(std::span<const proc::Pid> pids, uint64_t born_since_ticks) {
  for (auto& [pid, process] : processes_) process.seen = false;
  for (const proc::Pid pid : pids) {
    Process& p = processes_[pid];
    if (p.stat.path().empty()) p.stat = proc::KeptFile(root_.of(pid, "stat"));
    const proc::Text text = p.stat.read(buffer_);
    const bool readable = text.ok();
    const auto stat = readable ? proc::parse_stat(text.text) : std::nullopt;
    if (pids.size() > kMostKept) p.stat.close();
    if (!stat || stat->pid != pid) {
      p.seen = readable && p.start_ticks != 0;
      continue;
    }
    p.seen = true;
    p.parent = stat->ppid;
    const uint64_t ticks = stat->user_ticks + stat->system_ticks;
    const uint64_t reaped = stat->reaped_user_ticks + stat->reaped_system_ticks;
    if (p.start_ticks != stat->start_ticks) {
      const bool born = born_since_ticks != 0 && stat->start_ticks + 1 >= born_since_ticks;
      p.start_ticks = stat->start_ticks;
      p.ticks = born ? 0 : ticks;
      p.reaped = born ? 0 : reaped;
    }
    if (ticks > p.ticks) total_ += ticks - p.ticks;
    if (reaped > p.reaped) reaped_.grew(reaped - p.reaped);
    p.ticks = std::max(p.ticks, ticks);
    p.reaped = std::max(p.reaped, reaped);
  }
  for (auto it = processes_.begin(); it != processes_.end();) {
    const Process& p = it->second;
    if (p.seen) {
      ++it;
      continue;
    }
    const auto parent = processes_.find(p.parent);
    if (parent != processes_.end() && parent->second.seen) reaped_.ended(p.ticks + p.reaped);
    it = processes_.erase(it);
  }
  const uint64_t reaped = reaped_.settle();
  if (children_ == kReaped) total_ += reaped;
  return total_;
}

}  // namespace plumb::host_metrics
