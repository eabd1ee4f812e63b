#include "plugins/host_metrics/machine_sampler.h"

#include <string>

#include "plugins/proc/stat.h"

namespace plumb::host_metrics {

namespace {

constexpr size_t kMostDevices = 64;  // of disks, and of interfaces
constexpr const char* kPressureResources[] = {"cpu", "memory", "io"};

std::string unreadable(const proc::KeptFile& file) {
  return file.path() + " cannot be read: is proc mounted, and is this user allowed to?";
}

}  // namespace

MachineSampler::MachineSampler(const proc::Root& root)
    : stat_(root.proc + "/stat"),
      loadavg_(root.proc + "/loadavg"),
      meminfo_(root.proc + "/meminfo"),
      diskstats_(root.proc + "/diskstats"),
      net_dev_(root.proc + "/net/dev"),
      netstat_(root.proc + "/net/netstat"),
      snmp_(root.proc + "/net/snmp") {
  for (size_t i = 0; i < pressure_.size(); ++i) {
    pressure_[i] = proc::KeptFile(root.proc + "/pressure/" + kPressureResources[i]);
  }
}

void MachineSampler::tick() {
  const proc::Text text = loadavg_.read(buffer_);
  const auto runnable = text.ok() ? parse_runnable(text.text) : std::nullopt;
  if (!runnable) return;
  // The sampler itself runs while it reads.
  runnable_sum_ += *runnable > 0 ? *runnable - 1 : 0;
  ++runnable_samples_;
}

void MachineSampler::emit(int64_t now_ns, Outlet& outlet, Problems& problems) {
  emit_cpu(now_ns, outlet, problems);
  emit_memory(now_ns, outlet, problems);
  emit_pressure(now_ns, outlet, problems);
  emit_disks(now_ns, outlet, problems);
  emit_network(now_ns, outlet, problems);
}

void MachineSampler::emit_cpu(int64_t now_ns, Outlet& outlet, Problems& problems) {
  const proc::Text text = stat_.read(buffer_);
  problems.set("stat", text.ok() ? "" : unreadable(stat_));
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
    cpu_ = now;
  }
  if (runnable_samples_ > 0) {
    outlet.add("host_runnable", now_ns,
               static_cast<double>(runnable_sum_) / static_cast<double>(runnable_samples_));
    runnable_sum_ = 0;
    runnable_samples_ = 0;
  }
}

void MachineSampler::emit_memory(int64_t now_ns, Outlet& outlet, Problems& problems) {
  const proc::Text text = meminfo_.read(buffer_);
  problems.set("meminfo", text.ok() ? "" : unreadable(meminfo_));
  const auto memory = text.ok() ? parse_memory(text.text) : std::nullopt;
  if (!memory) return;
  outlet.add("host_memory_total_bytes", now_ns, static_cast<double>(memory->total));
  outlet.add("host_memory_available_bytes", now_ns, static_cast<double>(memory->available));
  outlet.add("host_swap_used_bytes", now_ns, static_cast<double>(memory->swap_used));
  memory_ = memory;
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
  problems.set("diskstats", text.ok() ? "" : unreadable(diskstats_));
  if (!text.ok()) return;
  size_t count = 0;
  for (const Disk& disk : parse_disks(text.text)) {
    if (!is_whole_disk(disk.device) || ++count > kMostDevices) continue;
    const auto add = [&](const char* name, double value) {
      outlet.add(name, now_ns, value, {{"device", disk.device}});
    };
    add("host_disk_busy_seconds_total", static_cast<double>(disk.busy_ms) / 1e3);
    add("host_disk_read_bytes_total", static_cast<double>(disk.read_bytes));
    add("host_disk_written_bytes_total", static_cast<double>(disk.written_bytes));
    add("host_disk_operations_total", static_cast<double>(disk.operations));
  }
}

void MachineSampler::emit_network(int64_t now_ns, Outlet& outlet, Problems& problems) {
  if (const proc::Text text = net_dev_.read(buffer_); text.ok()) {
    problems.set("net", "");
    size_t count = 0;
    for (const Interface& i : parse_interfaces(text.text)) {
      if (++count > kMostDevices) break;
      const auto add = [&](const char* name, uint64_t value) {
        outlet.add(name, now_ns, static_cast<double>(value), {{"interface", i.name}});
      };
      add("host_network_received_bytes_total", i.received_bytes);
      add("host_network_sent_bytes_total", i.sent_bytes);
      add("host_network_drops_total", i.drops);
    }
  } else {
    problems.set("net", unreadable(net_dev_));
  }
  if (const proc::Text text = snmp_.read(buffer_); text.ok()) {
    outlet.add_known("host_tcp_retransmits_total", now_ns,
                     parse_protocol_counter(text.text, "Tcp", "RetransSegs"));
    problems.set("snmp", "");
  } else {
    problems.set("snmp", unreadable(snmp_));
  }
  if (const proc::Text text = netstat_.read(buffer_); text.ok()) {
    outlet.add_known("host_tcp_listen_overflows_total", now_ns,
                     parse_protocol_counter(text.text, "TcpExt", "ListenOverflows"));
    problems.set("netstat", "");
  } else {
    problems.set("netstat", unreadable(netstat_));
  }
}

}  // namespace plumb::host_metrics
