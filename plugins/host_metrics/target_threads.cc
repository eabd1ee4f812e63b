#include "plugins/host_metrics/target_threads.h"

#include <algorithm>
#include <utility>

#include "plugins/proc/processes.h"

namespace plumb::host_metrics {

using proc::Pid;

namespace {

constexpr double kRunnableShare = 0.05;
constexpr int kMostIdle = 3;                // an idle thread is read every 8th update at least
constexpr uint64_t kListEvery = 10;         // updates, while the number of threads stays
constexpr uint64_t kFewSwitches = 32;       // which may be read later,
constexpr uint64_t kFewSwitchesWait = 4;    // in updates
constexpr uint64_t kUnseenNs = 20'000'000;  // two ticks: what the process's own clock may be off

uint64_t grown(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

}  // namespace

void TargetThreads::Thread::close() {
  for (proc::KeptFile* file : {&schedstat, &stat, &status}) file->close();
}

void TargetThreads::list(const ThreadReading& reading, bool watched) {
  const std::vector<Pid> listed = proc::list_tasks(root_, pid_);
  if (listed.empty()) {
    // A process has a thread as long as it lives: these are unknown, not none.
    next_list_ = updates_ + 1;
    return;
  }
  for (auto& [tid, thread] : threads_) thread.seen = false;
  for (const Pid tid : listed) {
    const auto [it, added] = threads_.try_emplace(tid);
    it->second.seen = true;
    if (!added) continue;
    it->second.schedstat = proc::KeptFile(root_.of_task(pid_, tid, "schedstat"), &kept_);
    it->second.stat = proc::KeptFile(root_.of_task(pid_, tid, "stat"), &kept_);
    it->second.status = proc::KeptFile(root_.of_task(pid_, tid, "status"), &kept_);
    it->second.read_ns = reading.before_ns;
    it->second.born = watched;
  }
  std::erase_if(threads_, [](const auto& entry) { return !entry.second.seen; });
  next_list_ = updates_ + kListEvery;
}

bool TargetThreads::moved(ThreadReading& reading) {
  if (threads_.size() != 1) return true;
  Thread& only = threads_.begin()->second;
  only.fresh.reset();
  if (reading.all || updates_ + 1 >= next_list_ || !only.has_run) return true;
  const proc::Text text = only.schedstat.read(reading.buffer);
  const auto s = text.ok() ? proc::parse_schedstat(text.text) : std::nullopt;
  if (!s || s->run_ns != only.last.run_ns || s->wait_ns != only.last.wait_ns ||
      s->slices != only.last.slices) {
    only.fresh = s;
    only.idle = 0;
    return true;
  }
  only.read_ns = reading.now_ns;
  only.idle = std::max(only.idle, 1);
  if (reading.scarce) {
    only.stat.close();
    only.status.close();
  }
  ++updates_;
  return false;
}

ThreadGrowth TargetThreads::update(ThreadReading& reading, uint64_t count, uint64_t process_ns,
                                   bool watched) {
  ++updates_;
  if (reading.all || count != threads_.size() || updates_ >= next_list_) list(reading, watched);
  ThreadGrowth growth;
  for (auto& [tid, t] : threads_) {
    const bool due = reading.all || t.idle == 0 || t.due <= updates_;
    if (due) read(t, reading, growth);
  }
  if (process_ns > growth.ran_ns + kUnseenNs) {
    // One that was idle runs now, or threads were replaced by others.
    list(reading, watched);
    for (auto& [tid, t] : threads_) {
      if (t.read_ns != reading.now_ns || !t.has_run) read(t, reading, growth);
    }
  }
  for (auto& [tid, t] : threads_) {
    growth.scheduled = growth.scheduled || t.has_run;
    growth.switches = growth.switches || t.switches;
    if (reading.scarce && t.idle > 0) t.close();
  }
  return growth;
}

void TargetThreads::read(Thread& t, ThreadReading& reading, ThreadGrowth& growth) {
  std::optional<proc::SchedStat> s = std::exchange(t.fresh, std::nullopt);
  if (!s) {
    const proc::Text text = t.schedstat.read(reading.buffer);
    if (text.ok()) s = proc::parse_schedstat(text.text);
    if (text.gone()) next_list_ = updates_ + 1;  // there may be others in its place
  }
  if (s) {
    const bool counts = t.has_run || t.born;
    const uint64_t ran = counts ? grown(t.last.run_ns, s->run_ns) : 0;
    growth.ran_ns += ran;
    growth.waited_ns += counts ? grown(t.last.wait_ns, s->wait_ns) : 0;
    const int64_t length = reading.now_ns - t.read_ns;
    const double share = length > 0 ? static_cast<double>(ran) / static_cast<double>(length) : 0;
    growth.busiest = std::max(growth.busiest, std::min(1.0, share));
    if (share > kRunnableShare) ++growth.runnable;
    const bool idle = t.has_run && s->slices == t.last.slices && s->run_ns == t.last.run_ns;
    t.idle = idle ? std::min(t.idle + 1, kMostIdle) : 0;
    t.due = updates_ + (uint64_t{1} << t.idle);
    if (!t.has_run) t.first_run_ns = counts ? 0 : s->run_ns;
    t.last.run_ns = std::max(t.last.run_ns, s->run_ns);
    t.last.wait_ns = std::max(t.last.wait_ns, s->wait_ns);
    t.last.slices = s->slices;
    t.has_run = true;
    t.read_ns = reading.now_ns;
  }
  read_switches(t, reading, growth);
  if (!reading.block_delay) return;
  const proc::Text line = t.stat.read(reading.buffer);
  const auto ticks = line.ok() ? proc::parse_block_delay(line.text) : std::nullopt;
  if (!ticks) return;
  if (t.block_delay_ticks || t.born) {
    growth.block_delay_ticks += grown(t.block_delay_ticks.value_or(0), *ticks);
  }
  t.block_delay_ticks = ticks;
}

void TargetThreads::read_switches(Thread& t, ThreadReading& reading, ThreadGrowth& growth) {
  // A thread switches away as often as it is put on a processor.
  const bool same = t.switches && t.has_run && t.switches_at == t.last.slices;
  const bool few = t.switches && t.has_run && t.last.slices - t.switches_at < kFewSwitches &&
                   updates_ < t.switches_due && !reading.all;
  if (same || few || (reading.switch_reads == 0 && !reading.all)) return;
  if (reading.switch_reads > 0) --reading.switch_reads;
  const proc::Text text = t.status.read(reading.buffer);
  const auto s = text.ok() ? proc::parse_switches(text.text) : std::nullopt;
  if (!s) return;
  if (t.switches || t.born) {
    const proc::Switches before = t.switches.value_or(proc::Switches{});
    growth.voluntary += grown(before.voluntary, s->voluntary);
    growth.involuntary += grown(before.involuntary, s->involuntary);
  }
  t.switches = s;
  t.switches_at = t.last.slices;
  t.switches_due = updates_ + kFewSwitchesWait;
}

void TargetThreads::lively(std::vector<Thread*>& out) {
  for (auto& [tid, t] : threads_) {
    if (t.idle == 0 || t.state == 'D' || t.state == '\0') out.push_back(&t);
  }
}

}  // namespace plumb::host_metrics
