// What HostMetrics says once a second, and its tables.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "plugins/host_metrics/host_metrics.h"

namespace plumb::host_metrics {

TargetTotals HostMetrics::emit_target(int64_t now_ns) {
  // Also without processes, so that those which come next are known to be new.
  const TargetTotals t = usage_.update(target_, now_ns, &processes_);
  if (finder_) {
    outlet_.add("target_restarts_total", now_ns, static_cast<double>(restarts_));
  }
  if (t.processes == 0) {
    problems_.set("schedstat", "");
    problems_.set("io", "");
    return t;
  }
  note_use(now_ns, t.cpu_seconds);
  const auto add = [&](const char* name, double value) { outlet_.add(name, now_ns, value); };
  add("target_processes", static_cast<double>(t.processes));
  add("target_threads", static_cast<double>(t.threads));
  add("target_resident_bytes", static_cast<double>(t.resident_bytes));
  add("target_cpu_seconds_total", t.cpu_seconds);
  add("target_user_cpu_seconds_total", t.user_seconds);
  add("target_system_cpu_seconds_total", t.system_seconds);
  outlet_.add_known("target_runqueue_seconds_total", now_ns, t.runqueue_seconds);
  outlet_.add_known("target_busiest_thread_ratio", now_ns, t.busiest_thread_ratio);
  outlet_.add_known("target_runnable_threads", now_ns, t.runnable_threads);
  outlet_.add_known("target_read_bytes_total", now_ns, t.read_bytes);
  outlet_.add_known("target_written_bytes_total", now_ns, t.written_bytes);
  outlet_.add_known("target_block_delay_seconds_total", now_ns, t.block_io_seconds);
  outlet_.add_known("target_memory_delay_seconds_total", now_ns, t.memory_seconds);
  const auto by_kind = [&](const char* name, const char* kind, std::optional<uint64_t> total) {
    outlet_.add_known(name, now_ns, total, {{"kind", kind}});
  };
  by_kind("target_page_faults_total", "minor", t.minor_faults);
  by_kind("target_page_faults_total", "major", t.major_faults);
  by_kind("target_context_switches_total", "voluntary", t.voluntary_switches);
  by_kind("target_context_switches_total", "involuntary", t.involuntary_switches);
  emit_threads(now_ns);
  emit_memory(now_ns);
  problems_.set("schedstat", t.runqueue_seconds
                                 ? ""
                                 : "the kernel keeps no scheduler statistics of tasks "
                                   "(CONFIG_SCHED_INFO): the target's run-queue delay is unknown");
  problems_.set("io", t.io_denied ? "the target's storage bytes belong to another user: run plumb "
                                    "as that user or with CAP_SYS_PTRACE"
                                  : "");
  return t;
}

void HostMetrics::note_use(int64_t now_ns, double cpu_seconds) {
  const auto before = std::exchange(use_, Use{cpu_seconds, now_ns});
  if (!before) return;
  const double seconds = static_cast<double>(now_ns - before->time_ns) / 1e9;
  if (cpu_seconds - before->cpu_seconds > kBusyProcessors * seconds) stay_attentive(now_ns);
}

void HostMetrics::emit_threads(int64_t now_ns) {
  const StateSums sums = std::exchange(thread_states_, {});
  if (sums.looks == 0) return;
  outlet_.add("target_disk_waiting", now_ns, sums.disk_waiting / sums.ticks);
  const auto add = [&](const char* state, double sum) {
    outlet_.add("target_threads_in_state", now_ns, sum / sums.looks, {{"state", state}});
  };
  add("running", sums.states.running);
  add("uninterruptible", sums.states.uninterruptible);
  add("sleeping", sums.states.sleeping);
}

void HostMetrics::emit_memory(int64_t now_ns) {
  if (!memory_.due(now_ns)) return;
  const std::vector<ProcessUse> processes = usage_.by_process();
  memory_.update(now_ns, processes);
  if (const auto total = memory_.total(processes)) {
    outlet_.add("target_pss_bytes", now_ns, static_cast<double>(total->proportional_bytes));
    outlet_.add("target_swap_bytes", now_ns, static_cast<double>(total->swap_bytes));
  }
}

void HostMetrics::emit_cgroup(int64_t now_ns, const CgroupTotals& t) {
  outlet_.add_known("target_quota_processors", now_ns, t.quota_processors);
  if (t.throttling) {
    outlet_.add("target_throttled_seconds_total", now_ns,
                static_cast<double>(t.throttling->throttled_ns) / 1e9);
    outlet_.add("target_throttled_periods_total", now_ns,
                static_cast<double>(t.throttling->throttled_periods));
    outlet_.add("target_periods_total", now_ns, static_cast<double>(t.throttling->periods));
  }
  outlet_.add_known("target_cgroup_memory_bytes", now_ns, t.memory_bytes);
  outlet_.add_known("target_cgroup_memory_limit_bytes", now_ns, t.memory_limit_bytes);
  if (t.memory_events) {
    const auto event = [&](const char* name, uint64_t count) {
      outlet_.add("target_cgroup_memory_events_total", now_ns, static_cast<double>(count),
                  {{"event", name}});
    };
    event("high", t.memory_events->high);
    event("max", t.memory_events->max);
    event("oom", t.memory_events->oom);
    event("oom_kill", t.memory_events->oom_kill);
  }
  if (t.io) {
    outlet_.add("target_cgroup_read_bytes_total", now_ns, static_cast<double>(t.io->read));
    outlet_.add("target_cgroup_written_bytes_total", now_ns, static_cast<double>(t.io->written));
  }
  constexpr const char* kResources[] = {"cpu", "memory", "io"};
  for (size_t i = 0; i < t.pressure.size(); ++i) {
    if (!t.pressure[i]) continue;
    const auto add = [&](const char* kind, const std::optional<uint64_t>& us) {
      if (!us) return;
      outlet_.add("target_pressure_seconds_total", now_ns, static_cast<double>(*us) / 1e6,
                  {{"resource", kResources[i]}, {"kind", kind}});
    };
    add("some", t.pressure[i]->some_us);
    add("full", t.pressure[i]->full_us);
  }
}

void HostMetrics::emit_groups(int64_t now_ns, const TargetTotals& target,
                              const CgroupTotals& cgroup) {
  if (!machine_.cpu()) return;
  const auto ticks_per_second = static_cast<double>(proc::ticks_per_second());
  Before now;
  now.machine = *machine_.cpu();
  now.target_cpu = target.cpu_seconds;
  now.waited = target.runqueue_seconds;
  if (cgroup.throttling) now.throttled_ns = cgroup.throttling->throttled_ns;
  now.time_ns = now_ns;
  const auto before = std::exchange(before_, now);

  const auto rise = [](uint64_t from, uint64_t to) { return to > from ? to - from : 0; };
  ProcessSurvey::Machine machine;
  machine.born_since_ticks = surveyed_ticks_;
  surveyed_ticks_ = usage_.last_update_ticks();
  double target_cpu = 0;
  if (before) {
    target_cpu = std::max(0.0, now.target_cpu - before->target_cpu);
    machine.busy_ticks =
        rise(before->machine.user + before->machine.system, now.machine.user + now.machine.system);
    machine.target_ticks = static_cast<uint64_t>(target_cpu * ticks_per_second);
  }
  survey_.update(processes_, roles_, machine);
  // What a target that cannot be seen uses must not be charged to its neighbours.
  const bool known = !finder_ || !target_.empty();
  if (!before || !known) return;

  CpuGroups::Second second;
  second.length = static_cast<double>(now.time_ns - before->time_ns) / 1e9;
  second.cpus = now.machine.cpus;
  used_.clear();
  uint64_t others = 0;
  for (size_t i = 0; i < survey_.names().size(); ++i) {
    const uint64_t ticks = survey_.growth()[i];
    if (ticks == 0) continue;
    others += ticks;
    used_.push_back({survey_.names()[i], static_cast<double>(ticks) / ticks_per_second});
  }
  second.used = used_;
  second.target = target_cpu;
  second.stolen =
      static_cast<double>(rise(before->machine.steal, now.machine.steal)) / ticks_per_second;
  unseen_raw_ += static_cast<double>(machine.busy_ticks) / ticks_per_second - target_cpu -
                 static_cast<double>(others) / ticks_per_second;
  second.unseen = std::max(0.0, unseen_raw_ - unseen_);
  unseen_ += second.unseen;
  if (now.waited) second.waited = std::max(0.0, *now.waited - before->waited.value_or(*now.waited));
  if (now.throttled_ns && before->throttled_ns) {
    second.throttled = static_cast<double>(rise(*before->throttled_ns, *now.throttled_ns)) / 1e9;
  }
  second.runnable_threads = static_cast<double>(target.runnable_threads.value_or(0));
  groups_.add(second);
  groups_.emit(now_ns, outlet_);
}

void HostMetrics::emit_others(int64_t now_ns) {
  const double tick = 1.0 / static_cast<double>(proc::ticks_per_second());
  const bool known = machine_.cpu() && before_ && (!finder_ || !target_.empty());
  if (!known) {
    // What a target that cannot be seen uses must not be charged to its neighbours.
    spent_.reset();
    return;
  }
  Spent now;
  now.target = before_->target_cpu;
  now.plumb = static_cast<double>(survey_.plumb_ticks()) * tick;
  now.database = static_cast<double>(survey_.database_ticks()) * tick;
  // Time in interrupts is nobody's, and stolen time is another machine's.
  now.host = static_cast<double>(machine_.cpu()->user + machine_.cpu()->system) * tick;
  if (spent_ && now.host >= spent_->host) {
    others_raw_ += now.others() - spent_->others();
    others_ = std::max(others_, others_raw_);
  }
  spent_ = now;
  outlet_.add("others_cpu_seconds_total", now_ns, others_);
}

void HostMetrics::begin_tables(int64_t now_ns) {
  table_.begin(processes_, now_ns);
  target_table_.begin(usage_.by_process(), now_ns);
  groups_.begin_table();
}

void HostMetrics::send_tables(int64_t now_ns) {
  const auto send = [&](const char* name, const std::string& json) {
    const Status status = host().table(name, json);
    if (!status) host().log(PLUMB_DEBUG, status.message());
  };
  send("processes", table_.json(processes_, roles_, now_ns));
  send("cpu_groups", groups_.table_json());
  if (finder_) send("target_processes", target_table_.json(usage_.by_process(), now_ns));
}

void HostMetrics::add_target_rows(Rows& rows) const {
  const proc::Stat* stat = target_.empty() ? nullptr : processes_.find(target_.front());
  rows.emplace_back("target",
                    selector_.describe() +
                        (stat != nullptr ? ": " + stat->comm + ", pid " + std::to_string(stat->pid)
                                         : std::string(": not found")));
  if (stat == nullptr) return;
  for (auto& row : describe_cgroup(root_, stat->pid)) rows.push_back(std::move(row));
  if (usage_.accounting() == TargetUsage::Accounting::kOff) {
    rows.emplace_back("target waiting for the disk",
                      "sampled only: for exact times run 'sysctl kernel.task_delayacct=1' as root, "
                      "then restart the target");
  }
}

void HostMetrics::emit_host_table() {
  Rows rows = machine_rows_;
  if (machine_.cpu()) rows.emplace_back("processors", std::to_string(machine_.cpu()->cpus));
  if (machine_.memory()) {
    char text[48];
    std::snprintf(text, sizeof(text), "%.1f GiB",
                  static_cast<double>(machine_.memory()->total) / (1u << 30));
    rows.emplace_back("memory", text);
  }
  if (finder_) {
    add_target_rows(rows);
  } else {
    rows.emplace_back("target", "no process of this machine (set target.process in the plan)");
  }
  const Downstream& downstream = sockets_.downstream();
  if (downstream.looks() > 0) {
    // Whole percents, so that the table is sent again only when it says something new.
    const double share = 100.0 * static_cast<double>(downstream.undecided()) /
                         static_cast<double>(downstream.looks());
    rows.emplace_back("outbound connections undecided",
                      std::to_string(std::lround(share)) +
                          "% of looks: the kernel's clock tick hides the order of request and "
                          "reply, which only its tracepoints (tcp:tcp_probe) would tell");
  }
  std::string json = host_table_json(rows, problems_);
  if (json == last_host_table_) return;
  const Status status = host().table("host", json);
  if (!status) host().log(PLUMB_DEBUG, status.message());
  last_host_table_ = std::move(json);
}

}  // namespace plumb::host_metrics
