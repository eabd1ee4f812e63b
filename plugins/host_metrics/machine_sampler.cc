#include "plugins/host_metrics/machine_sampler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "plugins/proc/stat.h"

namespace plumb::host_metrics {

namespace {

constexpr size_t kMostDisks = 64;
constexpr unsigned kMostCoreSeries = 64;
constexpr int64_t kFrequencyEveryNs = 10'000'000'000;
constexpr int64_t kFrequencyPart = 10'000;
constexpr const char* kPressureResources[] = {"cpu", "memory", "io"};

}  // namespace

MachineSampler::MachineSampler(const proc::Root& root)
    : stat_(root.proc + "/stat"),
      loadavg_(root.proc + "/loadavg"),
      meminfo_(root.proc + "/meminfo"),
      vmstat_(root.proc + "/vmstat"),
      diskstats_(root.proc + "/diskstats"),
      io_pressure_(root.proc + "/pressure/io"),
      block_devices_(root),
      disk_names_(kMostDisks),
      frequency_(root),
      frequency_pace_(kFrequencyPart, kFrequencyEveryNs) {
  for (size_t i = 0; i < pressure_.size(); ++i) {
    pressure_[i] = proc::KeptFile(root.proc + "/pressure/" + kPressureResources[i]);
  }
}

void MachineSampler::tick(bool disk_waits, int64_t span_ns) {
  const proc::Text text = loadavg_.read(buffer_);
  if (const auto runnable = text.ok() ? parse_runnable(text.text) : std::nullopt) {
    // The sampler itself runs while it reads.
    const double others = *runnable > 0 ? static_cast<double>(*runnable - 1) : 0;
    runnable_sum_ += others * static_cast<double>(span_ns);
    runnable_span_ += static_cast<double>(span_ns);
  }
  note_tasks(text.ok() ? text.text : std::string_view());
  if (!disk_waits) {
    io_waited_us_.reset();
    disk_was_waited_for_ = true;
    return;
  }
  const proc::Text pressure = io_pressure_.read(buffer_);
  const auto io = pressure.ok() ? parse_pressure(pressure.text) : std::nullopt;
  const std::optional<uint64_t> waited = io ? io->some_us : std::nullopt;
  disk_was_waited_for_ = !waited || !io_waited_us_ || *waited != *io_waited_us_;
  io_waited_us_ = waited;
}

void MachineSampler::watch_tasks() {
  const proc::Text text = loadavg_.read(buffer_);
  note_tasks(text.ok() ? text.text : std::string_view());
}

void MachineSampler::note_tasks(std::string_view loadavg) {
  // "0.31 0.60 0.27 3/181 24457": every new task takes a new number.
  const size_t slash = loadavg.find('/');
  const std::string_view tasks =
      slash == std::string_view::npos ? std::string_view() : loadavg.substr(slash);
  if (!tasks.empty() && tasks == tasks_) return;
  tasks_ = tasks;
  tasks_changed_ = true;
}

void MachineSampler::emit(int64_t now_ns, Outlet& outlet, Problems& problems) {
  emit_cpu(now_ns, outlet, problems);
  emit_memory(now_ns, outlet, problems);
  emit_paging(now_ns, outlet, problems);
  emit_pressure(now_ns, outlet, problems);
  emit_disks(now_ns, outlet, problems);
}

void MachineSampler::emit_cpu(int64_t now_ns, Outlet& outlet, Problems& problems) {
  const proc::Text text = stat_.read(buffer_);
  problems.set("stat", text.ok() ? "" : cannot_read(stat_));
  if (const auto now = text.ok() ? parse_cpu(text.text) : std::nullopt) {
    const double tick = 1.0 / static_cast<double>(proc::ticks_per_second());
    outlet.add("host_cpus", now_ns, now->cpus);
    if (cpu_) outlet.add_known("host_cpu_busy_ratio", now_ns, busy_ratio(*cpu_, *now));
    const auto mode = [&](const char* name, uint64_t ticks) {
      outlet.add("host_cpu_seconds_total", now_ns, static_cast<double>(ticks) * tick,
                 {{"mode", name}});
    };
    mode("user", now->user);
    mode("system", now->system + now->interrupt);
    mode("iowait", now->iowait);
    mode("steal", now->steal);
    mode("idle", now->idle);
    outlet.add("host_interrupt_seconds_total", now_ns, static_cast<double>(now->interrupt) * tick);
    cpu_ = now;
    emit_cores(text.text, now_ns, outlet);
    const Scheduling more = parse_scheduling(text.text);
    outlet.add_known("host_context_switches_total", now_ns, more.context_switches);
    outlet.add_known("host_forks_total", now_ns, more.forks);
    outlet.add_known("host_tasks_blocked", now_ns, more.blocked);
  }
  if (frequency_pace_.due(now_ns)) {
    const Pace::Turn turn(frequency_pace_, now_ns);
    if (const auto frequency = frequency_.read()) {
      outlet.add("host_cpu_frequency_mean_hertz", now_ns, frequency->mean_hertz);
      outlet.add("host_cpu_frequency_min_hertz", now_ns, frequency->least_hertz);
    }
  }
  if (runnable_span_ > 0) {
    outlet.add("host_runnable", now_ns, runnable_sum_ / runnable_span_);
    runnable_sum_ = runnable_span_ = 0;
  }
}

void MachineSampler::emit_cores(std::string_view stat, int64_t now_ns, Outlet& outlet) {
  std::swap(cores_, cores_before_);
  parse_cores(stat, cores_);
  if (cores_.size() != cores_before_.size()) return;  // one was switched on or off
  double busiest = -1;
  for (size_t i = 0; i < cores_.size(); ++i) {
    const CoreTicks& core = cores_[i];
    const auto ratio =
        core.core == cores_before_[i].core ? busy_ratio(cores_before_[i], core) : std::nullopt;
    if (!ratio) continue;
    busiest = std::max(busiest, *ratio);
    if (core.core >= kMostCoreSeries) continue;
    outlet.add("host_core_busy_ratio", now_ns, *ratio, {{"core", std::to_string(core.core)}});
  }
  if (busiest >= 0) outlet.add("host_core_busy_ratio_max", now_ns, busiest);
}

void MachineSampler::emit_memory(int64_t now_ns, Outlet& outlet, Problems& problems) {
  const proc::Text text = meminfo_.read(buffer_);
  problems.set("meminfo", text.ok() ? "" : cannot_read(meminfo_));
  const auto memory = text.ok() ? parse_memory(text.text) : std::nullopt;
  if (!memory) return;
  outlet.add("host_memory_total_bytes", now_ns, static_cast<double>(memory->total));
  outlet.add("host_memory_available_bytes", now_ns, static_cast<double>(memory->available));
  outlet.add("host_swap_used_bytes", now_ns, static_cast<double>(memory->swap_used));
  outlet.add_known("host_memory_dirty_bytes", now_ns, memory->dirty);
  outlet.add_known("host_memory_writeback_bytes", now_ns, memory->writeback);
  memory_ = memory;
}

void MachineSampler::emit_paging(int64_t now_ns, Outlet& outlet, Problems& problems) {
  const proc::Text text = vmstat_.read(buffer_);
  problems.set("vmstat", text.ok() ? "" : cannot_read(vmstat_));
  if (!text.ok()) return;
  const Paging paging = parse_paging(text.text);
  const auto bytes = [&](const char* name, const std::optional<uint64_t>& pages) {
    if (!pages) return;
    outlet.add(name, now_ns, static_cast<double>(*pages) * static_cast<double>(proc::page_bytes()));
  };
  bytes("host_swapped_in_bytes_total", paging.swapped_in_pages);
  bytes("host_swapped_out_bytes_total", paging.swapped_out_pages);
  outlet.add_known("host_major_faults_total", now_ns, paging.major_faults);
  outlet.add_known("host_oom_kills_total", now_ns, paging.oom_kills);
}

void MachineSampler::emit_pressure(int64_t now_ns, Outlet& outlet, Problems& problems) {
  bool missing = false;
  for (size_t i = 0; i < pressure_.size(); ++i) {
    const proc::Text text = pressure_[i].read(buffer_);
    missing = missing || !text.ok();
    const auto p = text.ok() ? parse_pressure(text.text) : std::nullopt;
    if (!p) continue;
    const auto add = [&](const char* kind, const std::optional<uint64_t>& us) {
      if (!us) return;
      outlet.add("host_pressure_seconds_total", now_ns, static_cast<double>(*us) / 1e6,
                 {{"resource", kPressureResources[i]}, {"kind", kind}});
    };
    add("some", p->some_us);
    add("full", p->full_us);
  }
  problems.set("pressure",
               missing ? "the kernel gives no pressure figures (PSI): boot with psi=1" : "");
}

void MachineSampler::emit_disks(int64_t now_ns, Outlet& outlet, Problems& problems) {
  const proc::Text text = diskstats_.read(buffer_);
  problems.set("diskstats", text.ok() ? "" : cannot_read(diskstats_));
  if (!text.ok()) return;
  for (const Disk& disk : parse_disks(text.text)) {
    // One that never did anything has nothing to tell: nbd devices are there before they are used.
    if (disk.operations == 0 || !block_devices_.is_disk(disk.device)) continue;
    if (!disk_names_.take(disk.device)) continue;
    const auto add = [&](const char* name, double value) {
      outlet.add(name, now_ns, value, {{"device", disk.device}});
    };
    add("host_disk_busy_seconds_total", static_cast<double>(disk.busy_ms) / 1e3);
    add("host_disk_read_bytes_total", static_cast<double>(disk.read_bytes));
    add("host_disk_written_bytes_total", static_cast<double>(disk.written_bytes));
    add("host_disk_operations_total", static_cast<double>(disk.operations));
    add("host_disk_in_flight", static_cast<double>(disk.in_flight));
    const auto before = disks_.find(disk.device);
    if (before != disks_.end()) {
      const Disk& last = before->second.disk;
      const double seconds = static_cast<double>(now_ns - before->second.time_ns) / 1e9;
      const bool rising = disk.operations >= last.operations && disk.waited_ms >= last.waited_ms &&
                          disk.queued_ms >= last.queued_ms && disk.busy_ms >= last.busy_ms;
      if (rising && seconds > 0) {
        const auto grown = [](uint64_t from, uint64_t to) {
          return static_cast<double>(to - from);
        };
        add("host_disk_busy_ratio",
            std::min(1.0, grown(last.busy_ms, disk.busy_ms) / 1e3 / seconds));
        add("host_disk_queue_length", grown(last.queued_ms, disk.queued_ms) / 1e3 / seconds);
        // Without an operation there is nothing whose wait could be told.
        if (disk.operations > last.operations) {
          add("host_disk_await_seconds", grown(last.waited_ms, disk.waited_ms) / 1e3 /
                                             grown(last.operations, disk.operations));
        }
      }
    }
    disks_[disk.device] = {disk, now_ns};
  }
  problems.set("disks", disk_names_.problem("disks"));
}

}  // namespace plumb::host_metrics
