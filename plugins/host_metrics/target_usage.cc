#include "plugins/host_metrics/target_usage.h"

#include <algorithm>
#include <cmath>

#include "plugins/proc/fields.h"

namespace plumb::host_metrics {

using proc::Pid;

namespace {

constexpr size_t kMostKeptThreads = 200;  // three descriptors each, of the usual limit of 1,024
constexpr size_t kMostProbed = 128;       // threads looked at by one disk_waiting()
constexpr double kRunnableShare = 0.05;
// utime and stime are each cut to a whole tick.
constexpr uint64_t kTickSlack = 2;

uint64_t nanoseconds_per_tick() { return 1'000'000'000 / proc::ticks_per_second(); }

uint64_t growth(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

}  // namespace

proc::Text TargetUsage::read(proc::KeptFile& file) {
  const proc::Text text = file.read(buffer_);
  if (!keep_open_) file.close();
  return text;
}

uint64_t TargetUsage::ticks_since_boot() {
  if (uptime_.path().empty()) uptime_ = proc::KeptFile(root_.proc + "/uptime");
  const proc::Text text = uptime_.read(buffer_);
  if (!text.ok()) return 0;
  std::string_view rest = text.text;
  const auto seconds = proc::next_number<double>(rest);
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0 || *seconds > 1e10) return 0;
  return static_cast<uint64_t>(*seconds * static_cast<double>(proc::ticks_per_second()));
}

TargetTotals TargetUsage::update(std::span<const Pid> pids, int64_t now_ns) {
  Interval now;
  now.length_ns = updated_ ? now_ns - last_update_ns_ : 0;
  // Read before the processes, so that one born meanwhile is taken for new at the next update too
  // rather than for old.
  const uint64_t ticks_now = ticks_since_boot();
  for (auto& [pid, process] : processes_) process.seen = false;
  for (const Pid pid : pids) {
    auto it = processes_.find(pid);
    if (it == processes_.end()) {
      it = processes_.try_emplace(pid).first;
      it->second.stat = proc::KeptFile(root_.of(pid, "stat"));
      it->second.io = proc::KeptFile(root_.of(pid, "io"));
    }
    Process& p = it->second;
    const proc::Text text = read(p.stat);
    const auto stat = text.ok() ? proc::parse_stat(text.text) : std::nullopt;
    if (!stat || stat->pid != pid) {
      // Torn: keep what is known of it. Gone: it is forgotten below.
      p.seen = text.ok() && p.start_ticks != 0;
      continue;
    }
    const bool first = p.start_ticks != stat->start_ticks;
    const bool born =
        first && updated_ && stat->start_ticks + 1 >= last_update_ticks_ && last_update_ticks_ != 0;
    if (first) {
      Process fresh;
      fresh.start_ticks = stat->start_ticks;
      fresh.stat = std::move(p.stat);
      fresh.io = proc::KeptFile(root_.of(pid, "io"));
      if (!born) {
        fresh.base_ticks = stat->user_ticks + stat->system_ticks;
        fresh.reaped_ticks = stat->reaped_user_ticks + stat->reaped_system_ticks;
      }
      fresh.ticks = fresh.base_ticks;
      p = std::move(fresh);
    }
    p.seen = true;
    update_process(pid, *stat, p, !first || born, now);
  }
  forget_ended();
  cpu_ns_ += reaped_cpu_.settle() * nanoseconds_per_tick();
  read_bytes_ += reaped_read_.settle();
  written_bytes_ += reaped_written_.settle();

  TargetTotals& out = now.totals;
  out.cpu_seconds = static_cast<double>(cpu_ns_) / 1e9;
  if (now.any_schedstat) {
    out.runqueue_seconds = static_cast<double>(runqueue_ns_) / 1e9;
    if (now.length_ns > 0) {
      out.busiest_thread_ratio =
          std::min(1.0, static_cast<double>(now.busiest_ns) / static_cast<double>(now.length_ns));
      out.runnable_threads = now.runnable;
    }
  }
  if (now.any_io) {
    out.read_bytes = read_bytes_;
    out.written_bytes = written_bytes_;
  }
  if (now.any_switches) {
    out.voluntary_switches = voluntary_;
    out.involuntary_switches = involuntary_;
  }
  keep_open_ = out.threads <= kMostKeptThreads;
  updated_ = true;
  last_update_ns_ = now_ns;
  last_update_ticks_ = ticks_now;
  return out;
}

void TargetUsage::update_process(Pid pid, const proc::Stat& stat, Process& p, bool watched,
                                 Interval& now) {
  ++now.totals.processes;
  now.totals.resident_bytes += stat.resident_pages * proc::page_bytes();
  p.parent = stat.ppid;

  for (auto& [tid, thread] : p.threads) thread.seen = false;
  bool scheduled = false;
  for (const Pid tid : proc::list_tasks(root_, pid)) {
    auto it = p.threads.find(tid);
    if (it == p.threads.end()) {
      it = p.threads.try_emplace(tid).first;
      it->second.schedstat = proc::KeptFile(root_.of_task(pid, tid, "schedstat"));
      it->second.stat = proc::KeptFile(root_.of_task(pid, tid, "stat"));
      it->second.status = proc::KeptFile(root_.of_task(pid, tid, "status"));
    }
    it->second.seen = true;
    ++now.totals.threads;
    update_thread(it->second, watched, p, now);
    scheduled = scheduled || it->second.has_run;
  }
  std::erase_if(p.threads, [](const auto& entry) { return !entry.second.seen; });

  p.ticks = std::max(p.ticks, stat.user_ticks + stat.system_ticks);
  const uint64_t in_ticks =
      growth(p.base_ticks + (scheduled ? kTickSlack : 0), p.ticks) * nanoseconds_per_tick();
  const uint64_t used = std::max(p.scheduled_ns, in_ticks);
  cpu_ns_ += growth(p.counted_ns, used);
  p.counted_ns = std::max(p.counted_ns, used);

  const uint64_t reaped = stat.reaped_user_ticks + stat.reaped_system_ticks;
  reaped_cpu_.grew(growth(p.reaped_ticks, reaped));
  p.reaped_ticks = std::max(p.reaped_ticks, reaped);

  update_io(p, watched, now);
}

void TargetUsage::update_thread(Thread& t, bool watched, Process& p, Interval& now) {
  if (const proc::Text text = read(t.schedstat); text.ok()) {
    if (const auto s = proc::parse_schedstat(text.text)) {
      now.any_schedstat = true;
      // A thread first seen in a watched process was born since the last update.
      const bool counts = t.has_run || watched;
      const uint64_t ran = counts ? growth(t.last.run_ns, s->run_ns) : 0;
      p.scheduled_ns += ran;
      runqueue_ns_ += counts ? growth(t.last.wait_ns, s->wait_ns) : 0;
      now.busiest_ns = std::max(now.busiest_ns, ran);
      if (static_cast<double>(ran) > kRunnableShare * static_cast<double>(now.length_ns) &&
          now.length_ns > 0) {
        ++now.runnable;
      }
      t.last.run_ns = std::max(t.last.run_ns, s->run_ns);
      t.last.wait_ns = std::max(t.last.wait_ns, s->wait_ns);
      t.has_run = true;
    }
  }
  if (const proc::Text text = read(t.status); text.ok()) {
    if (const auto s = proc::parse_switches(text.text)) {
      now.any_switches = true;
      if (t.switches || watched) {
        const proc::Switches before = t.switches.value_or(proc::Switches{});
        voluntary_ += growth(before.voluntary, s->voluntary);
        involuntary_ += growth(before.involuntary, s->involuntary);
      }
      t.switches = s;
    }
  }
}

void TargetUsage::update_io(Process& p, bool watched, Interval& now) {
  const proc::Text text = read(p.io);
  if (text.denied()) now.totals.io_denied = true;
  const auto io = text.ok() ? proc::parse_io(text.text) : std::nullopt;
  if (!io) return;
  now.any_io = true;
  if (p.io_last || watched) {
    const proc::StorageBytes before = p.io_last.value_or(proc::StorageBytes{});
    reaped_read_.grew(growth(before.read, io->read));
    reaped_written_.grew(growth(before.written, io->written));
  }
  p.io_last = io;
}

void TargetUsage::forget_ended() {
  for (auto it = processes_.begin(); it != processes_.end();) {
    const Process& p = it->second;
    if (p.seen) {
      ++it;
      continue;
    }
    // Its parent's reaped times and storage bytes now hold all that this one had.
    const auto parent = processes_.find(p.parent);
    if (parent != processes_.end() && parent->second.seen) {
      reaped_cpu_.ended(p.ticks + p.reaped_ticks);
      if (p.io_last) {
        reaped_read_.ended(p.io_last->read);
        reaped_written_.ended(p.io_last->written);
      }
    }
    it = processes_.erase(it);
  }
}

std::optional<double> TargetUsage::disk_waiting() {
  size_t total = 0;
  for (const auto& [pid, process] : processes_) total += process.threads.size();
  if (total == 0) return std::nullopt;
  const size_t probes = std::min(total, kMostProbed);
  const size_t first = probes == total ? 0 : next_thread_ % total;
  next_thread_ = first + probes;
  size_t read_ok = 0;
  size_t waiting = 0;
  size_t index = 0;
  for (auto& [pid, process] : processes_) {
    for (auto& [tid, thread] : process.threads) {
      const size_t distance = (index++ + total - first) % total;
      if (distance >= probes) continue;
      const proc::Text text = read(thread.stat);
      const char state = text.ok() ? proc::parse_state(text.text) : '\0';
      if (state == '\0') continue;
      ++read_ok;
      if (state == 'D') ++waiting;
    }
  }
  if (read_ok == 0) return std::nullopt;
  return static_cast<double>(waiting) * static_cast<double>(total) / static_cast<double>(read_ok);
}

}  // namespace plumb::host_metrics
