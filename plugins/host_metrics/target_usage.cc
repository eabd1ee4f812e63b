#include "plugins/host_metrics/target_usage.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "plugins/proc/fields.h"

namespace plumb::host_metrics {

using proc::Pid;

namespace {

constexpr size_t kMostKeptOpen = 480;    // descriptors, of the usual limit of 1,024
constexpr size_t kMostProbed = 128;      // threads looked at by one look_at_threads(),
constexpr size_t kFewProbed = 16;        // while none was seen to wait
constexpr int kLooksAtMost = 20;         // after one was
constexpr size_t kMostSwitchReads = 32;  // per update
constexpr uint64_t kMostDelaysPause = 32;
constexpr int kMostGenerations = 16;       // of ended processes up to one that lives
constexpr unsigned kAccountingEvery = 10;  // updates
constexpr int kMostUnasked = 4;            // updates between two questions for a process's delays
// utime and stime are each cut to a whole tick.
constexpr uint64_t kTickSlack = 2;

uint64_t nanoseconds_per_tick() { return 1'000'000'000 / proc::ticks_per_second(); }

double tick_seconds(uint64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(proc::ticks_per_second());
}

uint64_t growth(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

// The larger of each counter, so that a total never falls; what is no counter, as now.
proc::Stat risen(const proc::Stat& before, const proc::Stat& now) {
  proc::Stat out = now;
  for (const auto counter :
       {&proc::Stat::user_ticks, &proc::Stat::system_ticks, &proc::Stat::reaped_user_ticks,
        &proc::Stat::reaped_system_ticks, &proc::Stat::minor_faults, &proc::Stat::major_faults}) {
    out.*counter = std::max(before.*counter, now.*counter);
  }
  return out;
}

}  // namespace

TargetUsage::TargetUsage(proc::Root root, std::unique_ptr<DelaySource> delays)
    : root_(std::move(root)), delays_(std::move(delays)), kept_(kMostKeptOpen) {}

TargetUsage::Process::Process(const proc::Root& root, Pid pid, proc::DescriptorAllowance& kept)
    : stat(root.of(pid, "stat"), &kept), io(root.of(pid, "io"), &kept), threads(root, pid, kept) {}

uint64_t TargetUsage::ticks_since_boot() {
  if (uptime_.path().empty()) uptime_ = proc::KeptFile(root_.proc + "/uptime");
  const proc::Text text = uptime_.read(buffer_);
  if (!text.ok()) return 0;
  std::string_view rest = text.text;
  const auto seconds = proc::next_number<double>(rest);
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0 || *seconds > 1e10) return 0;
  return static_cast<uint64_t>(*seconds * static_cast<double>(proc::ticks_per_second()));
}

void TargetUsage::read_accounting() {
  if (accounting_file_.path().empty()) {
    accounting_file_ = proc::KeptFile(root_.proc + "/sys/kernel/task_delayacct");
  }
  const proc::Text text = accounting_file_.read(buffer_);
  // Kernels before 5.14 have no switch, and may account or not.
  accounting_ = !text.ok()                     ? Accounting::kUnknown
                : text.text.starts_with("1\n") ? Accounting::kOn
                                               : Accounting::kOff;
}

TargetTotals TargetUsage::update(std::span<const Pid> pids, int64_t now_ns,
                                 proc::ProcessList* list) {
  Interval now;
  ++updates_;
  // Read before the processes, so that one born meanwhile is taken for new at the next update too
  // rather than for old.
  const uint64_t ticks_now = ticks_since_boot();
  if (!pids.empty() && (read_all_ || accounting_age_++ % kAccountingEvery == 0)) read_accounting();
  ThreadReading reading{.buffer = buffer_};
  reading.now_ns = now_ns;
  reading.before_ns = updated_ ? last_update_ns_ : now_ns;
  reading.scarce = kept_.used_up();
  reading.all = read_all_;
  reading.block_delay = accounting_ == Accounting::kOn && (delays_ == nullptr || delays_refused_);
  reading.switch_reads = kMostSwitchReads;
  for (auto& [pid, process] : processes_) process.seen = false;
  for (const Pid pid : pids) update_one(pid, reading, list, now);
  forget_ended();
  finish(now, now_ns - reading.before_ns);
  lively_.clear();
  threads_ = now.totals.threads;
  for (auto& [pid, process] : processes_) process.threads.lively(lively_);
  read_all_ = false;
  updated_ = true;
  last_update_ns_ = now_ns;
  last_update_ticks_ = ticks_now;
  return now.totals;
}

void TargetUsage::update_one(Pid pid, ThreadReading& reading, proc::ProcessList* list,
                             Interval& now) {
  const auto it = processes_.try_emplace(pid, root_, pid, kept_).first;
  Process* p = &it->second;
  if (p->start_ticks != 0 && !p->threads.moved(reading)) {
    p->seen = true;
    if (reading.scarce) {
      p->stat.close();
      p->io.close();
    }
    count_standing(*p, now);
    return;
  }
  const proc::Text text = p->stat.read(buffer_);
  const auto stat = text.ok() ? proc::parse_stat(text.text) : std::nullopt;
  if (!stat || stat->pid != pid) {
    // Torn, or not to be read now: it stands where it stood. Gone: it is forgotten below.
    p->seen = !text.gone() && p->start_ticks != 0;
    if (p->seen) count_standing(*p, now);
    return;
  }
  if (list != nullptr) list->note(*stat);
  if (p->start_ticks != stat->start_ticks) {
    const bool born =
        updated_ && last_update_ticks_ != 0 && stat->start_ticks + 1 >= last_update_ticks_;
    processes_.erase(it);
    p = &processes_.try_emplace(pid, root_, pid, kept_).first->second;
    p->start_ticks = stat->start_ticks;
    p->born = born;
    if (!born) p->first = p->last = *stat;
  }
  p->seen = true;
  update_process(*stat, *p, reading, now);
}

void TargetUsage::count_standing(const Process& p, Interval& now) const {
  ++now.totals.processes;
  now.totals.threads += p.threads.all().size();
  now.totals.resident_bytes += p.last.resident_pages * proc::page_bytes();
  now.any_io = now.any_io || p.io_last;
  now.any_delays = now.any_delays || (accounting_ == Accounting::kOn && p.delays);
  for (const auto& [tid, t] : p.threads.all()) {
    now.any_schedstat = now.any_schedstat || t.has_run;
    now.any_switches = now.any_switches || t.switches;
  }
}

void TargetUsage::update_process(const proc::Stat& stat, Process& p, ThreadReading& reading,
                                 Interval& now) {
  const proc::Stat before = p.last;
  p.last = risen(before, stat);
  p.parent = stat.ppid;
  p.command = stat.comm;
  const uint64_t user = p.last.user_ticks - before.user_ticks;
  const uint64_t system = p.last.system_ticks - before.system_ticks;
  user_ticks_ += user;
  system_ticks_ += system;
  minor_faults_ += p.last.minor_faults - before.minor_faults;
  major_faults_ += p.last.major_faults - before.major_faults;

  const ThreadGrowth threads =
      p.threads.update(reading, stat.threads, (user + system) * nanoseconds_per_tick(), p.born);
  // Once it is known which were there before, those that come are born under watch.
  p.born = p.born || !p.threads.all().empty();
  p.scheduled_ns += threads.ran_ns;
  p.waited_ns += threads.waited_ns;
  p.block_delay_ticks += threads.block_delay_ticks;
  block_io_ns_ += threads.block_delay_ticks * nanoseconds_per_tick();
  voluntary_ += threads.voluntary;
  involuntary_ += threads.involuntary;
  now.busiest = std::max(now.busiest, threads.busiest);
  now.runnable += threads.runnable;
  now.any_schedstat = now.any_schedstat || threads.scheduled;
  now.any_switches = now.any_switches || threads.switches;
  now.any_delays = now.any_delays || reading.block_delay;

  const uint64_t ticks = p.last.user_ticks + p.last.system_ticks;
  const uint64_t base = p.first.user_ticks + p.first.system_ticks;
  const uint64_t in_ticks =
      growth(base + (threads.scheduled ? kTickSlack : 0), ticks) * nanoseconds_per_tick();
  const uint64_t used = std::max(p.scheduled_ns, in_ticks);
  cpu_ns_ += growth(p.counted_ns, used);
  p.counted_ns = std::max(p.counted_ns, used);

  reaped_cpu_.grew(p.last.reaped_user_ticks - before.reaped_user_ticks +
                   p.last.reaped_system_ticks - before.reaped_system_ticks);
  if (delays_due(p)) update_delays(stat.pid, p, now);
  const uint64_t waited =
      p.delays ? std::max(p.waited_ns, p.delays->runqueue_ns - p.first_delays->runqueue_ns)
               : p.waited_ns;
  runqueue_ns_ += growth(p.waited_counted_ns, waited);
  p.waited_counted_ns = std::max(p.waited_counted_ns, waited);
  update_io(p, now);

  ++now.totals.processes;
  now.totals.threads += p.threads.all().size();
  now.totals.resident_bytes += stat.resident_pages * proc::page_bytes();
}

bool TargetUsage::delays_due(Process& p) const {
  // Without accounting the run-queue delay is all they tell, and of a single thread schedstat tells
  // it too; threads that came and went meanwhile stay in the sum.
  const bool alone = p.delays && accounting_ == Accounting::kOff && p.threads.all().size() == 1;
  if (alone && !read_all_ && ++p.updates_unasked < kMostUnasked) return false;
  p.updates_unasked = 0;
  return true;
}

void TargetUsage::note_unanswered(const Status& why) {
  if (why.code() == PLUMB_NOT_FOUND) return;
  const bool refusal = why.code() == PLUMB_PERMISSION_DENIED || why.code() == PLUMB_UNSUPPORTED;
  if (refusal && !delays_answered_) {
    delays_refused_ = true;
    return;
  }
  // It may be over soon. What happens meanwhile is in the next answer, and would count twice if
  // threads were asked too. Asking in vain may take as long as an answer is waited for.
  delays_due_ = updates_ + delays_pause_;
  delays_pause_ = std::min(2 * delays_pause_, kMostDelaysPause);
}

void TargetUsage::update_delays(Pid pid, Process& p, Interval& now) {
  if (delays_ == nullptr || delays_refused_ || updates_ < delays_due_) return;
  auto answer = delays_->of_process(pid);
  if (!answer) return note_unanswered(answer.status());
  delays_answered_ = true;
  delays_pause_ = 1;
  proc::Delays delays = answer.value();
  if (!p.delays) {
    // Of a process that was there before the watch, the past is not counted.
    p.first_delays = p.first.pid != 0 ? delays : proc::Delays{};
    p.delays = *p.first_delays;
  }
  const auto rise = [&](uint64_t proc::Delays::*what) {
    delays.*what = std::max(delays.*what, (*p.delays).*what);
    return delays.*what - (*p.delays).*what;
  };
  rise(&proc::Delays::runqueue_ns);
  if (accounting_ == Accounting::kOn) {
    block_io_ns_ += rise(&proc::Delays::block_io_ns);
    memory_ns_ += rise(&proc::Delays::swap_in_ns) + rise(&proc::Delays::reclaim_ns) +
                  rise(&proc::Delays::thrashing_ns);
    now.any_delays = true;
  }
  p.delays = delays;
}

void TargetUsage::update_io(Process& p, Interval& now) {
  const proc::Text text = p.io.read(buffer_);
  if (text.denied()) now.totals.io_denied = true;
  const auto io = text.ok() ? proc::parse_io(text.text) : std::nullopt;
  if (!io) return;
  now.any_io = true;
  if (p.io_last || p.first.pid == 0) {
    const proc::StorageBytes before = p.io_last.value_or(proc::StorageBytes{});
    reaped_read_.grew(growth(before.read, io->read));
    reaped_written_.grew(growth(before.written, io->written));
  }
  p.io_last = io;
}

void TargetUsage::finish(Interval& now, int64_t length_ns) {
  cpu_ns_ += reaped_cpu_.settle() * nanoseconds_per_tick();
  read_bytes_ += reaped_read_.settle();
  written_bytes_ += reaped_written_.settle();

  TargetTotals& out = now.totals;
  out.cpu_seconds = static_cast<double>(cpu_ns_) / 1e9;
  // Which part of it was which the process's own clock knows, to a tick; what came since the last
  // tick is split as all before.
  const double known = static_cast<double>(user_ticks_ + system_ticks_);
  const double user_part = known > 0 ? static_cast<double>(user_ticks_) / known : 1;
  user_seconds_ = std::clamp(out.cpu_seconds * user_part, user_seconds_,
                             std::max(user_seconds_, out.cpu_seconds - system_seconds_));
  system_seconds_ = std::max(system_seconds_, out.cpu_seconds - user_seconds_);
  out.user_seconds = user_seconds_;
  out.system_seconds = system_seconds_;
  out.minor_faults = minor_faults_;
  out.major_faults = major_faults_;
  if (now.any_schedstat) {
    out.runqueue_seconds = static_cast<double>(runqueue_ns_) / 1e9;
    if (length_ns > 0) {
      out.busiest_thread_ratio = now.busiest;
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
  if (now.any_delays) {
    out.block_io_seconds = static_cast<double>(block_io_ns_) / 1e9;
    if (delays_ != nullptr && !delays_refused_) {
      out.memory_seconds = static_cast<double>(memory_ns_) / 1e9;
    }
  }
}

void TargetUsage::forget_ended() {
  const auto heir_lives = [&](const Process& p) {
    auto parent = processes_.find(p.parent);
    for (int generation = 0; generation < kMostGenerations; ++generation) {
      if (parent == processes_.end() || parent->second.seen) break;
      parent = processes_.find(parent->second.parent);
    }
    return parent != processes_.end() && parent->second.seen;
  };
  for (const auto& [pid, p] : processes_) {
    // Its parent's reaped times and storage bytes now hold all that this one had; if the parent
    // has ended with it, those of the parent's parent.
    if (p.seen || !heir_lives(p)) continue;
    reaped_cpu_.ended(p.last.user_ticks + p.last.system_ticks + p.last.reaped_user_ticks +
                      p.last.reaped_system_ticks);
    if (p.io_last) {
      reaped_read_.ended(p.io_last->read);
      reaped_written_.ended(p.io_last->written);
    }
  }
  std::erase_if(processes_, [](const auto& entry) { return !entry.second.seen; });
}

std::optional<ThreadStates> TargetUsage::look_at_threads() {
  if (threads_ == 0) return std::nullopt;
  const size_t total = lively_.size();
  ThreadStates states;
  // How many is settled before anybody knows what they do, so that the mean is the same.
  const size_t probes = std::min(total, looks_at_most_ > 0 ? kMostProbed : kFewProbed);
  if (looks_at_most_ > 0) --looks_at_most_;
  const size_t first = probes == total ? 0 : next_thread_ % total;
  next_thread_ = first + probes;
  size_t read_ok = 0;
  for (size_t i = 0; i < probes; ++i) {
    TargetThreads::Thread& thread = *lively_[(first + i) % total];
    const proc::Text text = thread.stat.read(buffer_);
    const char state = text.ok() ? proc::parse_state(text.text) : '\0';
    if (state == '\0') continue;
    thread.state = state;
    ++read_ok;
    if (state == 'R') states.running += 1;
    if (state == 'D') states.uninterruptible += 1;
  }
  if (total > 0 && read_ok == 0) return std::nullopt;
  if (states.uninterruptible > 0) looks_at_most_ = kLooksAtMost;
  const double scale = read_ok > 0 ? static_cast<double>(total) / static_cast<double>(read_ok) : 0;
  states.running *= scale;
  states.uninterruptible *= scale;
  states.sleeping =
      std::max(0.0, static_cast<double>(threads_) - states.running - states.uninterruptible);
  return states;
}

std::vector<ProcessUse> TargetUsage::by_process() const {
  std::vector<ProcessUse> out;
  for (const auto& [pid, p] : processes_) {
    ProcessUse use;
    use.pid = pid;
    use.start_ticks = p.start_ticks;
    use.command = p.command;
    use.threads = p.threads.all().size();
    use.resident_bytes = p.last.resident_pages * proc::page_bytes();
    use.user_seconds = tick_seconds(growth(p.first.user_ticks, p.last.user_ticks));
    use.system_seconds = tick_seconds(growth(p.first.system_ticks, p.last.system_ticks));
    use.runqueue_seconds = static_cast<double>(p.waited_counted_ns) / 1e9;
    if (accounting_ == Accounting::kOn) {
      use.block_io_seconds =
          p.delays
              ? static_cast<double>(growth(p.first_delays->block_io_ns, p.delays->block_io_ns)) /
                    1e9
              : tick_seconds(p.block_delay_ticks);
    }
    use.minor_faults = growth(p.first.minor_faults, p.last.minor_faults);
    use.major_faults = growth(p.first.major_faults, p.last.major_faults);
    uint64_t most = 0;
    for (const auto& [tid, t] : p.threads.all()) {
      const uint64_t ran = growth(t.first_run_ns, t.last.run_ns);
      if (ran <= most) continue;
      most = ran;
      use.busiest_thread = tid;
    }
    use.busiest_seconds = static_cast<double>(most) / 1e9;
    out.push_back(std::move(use));
  }
  return out;
}

}  // namespace plumb::host_metrics
