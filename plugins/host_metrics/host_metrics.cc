#include "plugins/host_metrics/host_metrics.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "plugins/proc/fields.h"
#include "plugins/proc/sockets.h"

namespace plumb::host_metrics {

using proc::Pid;

namespace {

constexpr int64_t kSecond = 1'000'000'000;
// A tick this close to the second's end belongs to it: timers wake a little early or late.
constexpr int64_t kTolerance = 20'000'000;
constexpr int kTableEvery = 10;      // seconds
constexpr int kFullListEvery = 10;   // seconds
constexpr int64_t kScanShare = 500;  // a scan of descriptors takes at most this part of the time
constexpr size_t kMostChurnDescriptors = 1000;

}  // namespace

HostMetrics::HostMetrics(Host host)
    : HostMetrics(host, proc::Root{}, make_kernel_sockets(), ::getpid()) {}

HostMetrics::HostMetrics(Host host, proc::Root root, std::unique_ptr<SocketSource> sockets,
                         Pid self)
    : Sampler(host),
      root_(root),
      self_(self),
      outlet_(host),
      machine_(root),
      processes_(root),
      usage_(root),
      plumb_cpu_(root, GroupCpu::kNotReaped),
      database_cpu_(root, GroupCpu::kReaped),
      downstream_(std::move(sockets)),
      table_(root) {}

Status HostMetrics::configure(const Config& config) {
  PLUMB_ASSIGN_OR_RETURN(selector_, proc::selector_from_document(config.document()));
  if (!selector_.empty()) finder_.emplace(root_, selector_);
  return Status::ok();
}

Status HostMetrics::start() {
  machine_rows_ = describe_machine(root_);
  const int64_t now = host().now_ns();
  PLUMB_RETURN_IF_ERROR(processes_.refresh(true));
  table_.begin(processes_, now);
  second(now);
  next_second_ns_ = now + kSecond;
  return Status::ok();
}

Status HostMetrics::collect() {
  const int64_t now = host().now_ns();
  tick(now);
  if (now + kTolerance < next_second_ns_) return Status::ok();
  second(now);
  next_second_ns_ += kSecond;
  if (next_second_ns_ <= now) next_second_ns_ = now + kSecond;
  return Status::ok();
}

Status HostMetrics::stage(const Stage& stage) {
  const int64_t now = host().now_ns();
  if (stage.kind == PLUMB_STAGE_STEADY) {
    if (processes_.refresh(true)) table_.begin(processes_, now);
    table_frozen_ = false;
  } else if (stage.kind == PLUMB_STAGE_COOLDOWN && !table_frozen_) {
    // The table keeps what the steady stage showed.
    emit_processes(now);
    table_frozen_ = true;
  }
  return Status::ok();
}

Status HostMetrics::stop(int64_t) {
  if (!table_.begun()) return Status::ok();
  const int64_t now = host().now_ns();
  if (now - last_second_ns_ >= kSecond / 2) second(now);
  if (!table_frozen_) emit_processes(now);
  emit_host_table();
  return Status::ok();
}

void HostMetrics::tick(int64_t now_ns) {
  machine_.tick();
  if (target_.empty()) return;
  if (const auto waiting = usage_.disk_waiting()) {
    disk_waiting_sum_ += *waiting;
    ++disk_waiting_samples_;
  }
  const bool follow = downstream_.churns() && now_ns >= next_scan_ns_ &&
                      descriptors_.value_or(0) <= kMostChurnDescriptors;
  if (follow) resolve_connections();
  if (const Status status = downstream_.sample(); !status) {
    problems_.set("downstream", status.message());
  }
}

void HostMetrics::second(int64_t now_ns) {
  machine_.emit(now_ns, outlet_, problems_);
  // A target that is not found may have been there, under the name it had before its exec.
  const bool full = seconds_ % kFullListEvery == 0 || (finder_ && target_.empty());
  problems_.set("processes", processes_.refresh(full).message());
  find_target();
  roles_ = assign_roles(processes_, target_, self_);
  emit_target(now_ns);
  emit_others(now_ns);
  emit_downstream(now_ns);
  outlet_.flush();
  if (seconds_ > 0 && seconds_ % kTableEvery == 0 && !table_frozen_) emit_processes(now_ns);
  const bool changed = problems_.take_changed();
  if (changed) report_problems();
  if (changed || seconds_ % kTableEvery == 0) emit_host_table();
  last_second_ns_ = now_ns;
  ++seconds_;
}

void HostMetrics::find_target() {
  if (!finder_) return;
  const auto found = finder_->find(processes_);
  problems_.set("target", found ? "" : found.status().message());
  const std::vector<Pid> pids = found ? found.value() : std::vector<Pid>{};
  note_change(pids);
  target_ = pids;
}

void HostMetrics::note_change(const std::vector<Pid>& pids) {
  if (pids.empty()) {
    if (!last_target_.empty() && !lost_) {
      lost_ = true;
      (void)host().event(PLUMB_WARNING, "target-lost", selector_.describe() + " has ended");
    }
    return;
  }
  std::vector<Identity> now;
  for (const Pid pid : pids) {
    if (const proc::Stat* stat = processes_.find(pid)) now.push_back({pid, stat->start_ticks});
  }
  const bool same = std::any_of(now.begin(), now.end(), [&](const Identity& i) {
    return std::find(last_target_.begin(), last_target_.end(), i) != last_target_.end();
  });
  if (last_target_.empty()) {
    if (seconds_ > 0) {
      (void)host().event(PLUMB_INFO, "target-found", selector_.describe() + " runs now");
    }
  } else if (!same) {
    (void)host().event(PLUMB_WARNING, "target-restarted",
                       selector_.describe() + " was restarted: it is process " +
                           std::to_string(pids.front()) + " now");
    next_scan_ns_ = 0;
  } else if (lost_) {
    (void)host().event(PLUMB_INFO, "target-found", selector_.describe() + " is seen again");
  }
  lost_ = false;
  last_target_ = std::move(now);
}

void HostMetrics::emit_target(int64_t now_ns) {
  // Also without processes, so that those which come next are known to be new.
  const TargetTotals t = usage_.update(target_, now_ns);
  target_cpu_seconds_ = t.cpu_seconds;
  if (t.processes == 0) {
    problems_.set("schedstat", "");
    problems_.set("io", "");
    return;
  }
  outlet_.add("target_processes", now_ns, static_cast<double>(t.processes));
  outlet_.add("target_threads", now_ns, static_cast<double>(t.threads));
  outlet_.add("target_resident_bytes", now_ns, static_cast<double>(t.resident_bytes));
  outlet_.add("target_cpu_seconds_total", now_ns, t.cpu_seconds);
  outlet_.add_known("target_runqueue_seconds_total", now_ns, t.runqueue_seconds);
  outlet_.add_known("target_busiest_thread_ratio", now_ns, t.busiest_thread_ratio);
  outlet_.add_known("target_runnable_threads", now_ns, t.runnable_threads);
  outlet_.add_known("target_read_bytes_total", now_ns, t.read_bytes);
  outlet_.add_known("target_written_bytes_total", now_ns, t.written_bytes);
  const auto switches = [&](const char* kind, const std::optional<uint64_t>& total) {
    outlet_.add_known("target_context_switches_total", now_ns, total, {{"kind", kind}});
  };
  switches("voluntary", t.voluntary_switches);
  switches("involuntary", t.involuntary_switches);
  if (disk_waiting_samples_ > 0) {
    outlet_.add("target_disk_waiting", now_ns,
                disk_waiting_sum_ / static_cast<double>(disk_waiting_samples_));
    disk_waiting_sum_ = 0;
    disk_waiting_samples_ = 0;
  }
  problems_.set("schedstat", t.runqueue_seconds
                                 ? ""
                                 : "the kernel keeps no scheduler statistics of tasks "
                                   "(CONFIG_SCHED_INFO): the target's run-queue delay is unknown");
  problems_.set("io", t.io_denied ? "the target's storage bytes belong to another user: run plumb "
                                    "as that user or with CAP_SYS_PTRACE"
                                  : "");
}

void HostMetrics::emit_others(int64_t now_ns) {
  const double tick = 1.0 / static_cast<double>(proc::ticks_per_second());
  Spent now;
  now.target = target_cpu_seconds_;
  now.plumb = static_cast<double>(plumb_cpu_.update(roles_.plumb, last_second_ticks_)) * tick;
  now.database =
      static_cast<double>(database_cpu_.update(roles_.database, last_second_ticks_)) * tick;
  // A little earlier than now is right: a process born meanwhile is new at the next second too.
  last_second_ticks_ = usage_.last_update_ticks();
  const bool known = machine_.cpu() && (!finder_ || !target_.empty());
  if (!known) {
    // What a target that cannot be seen uses must not be charged to its neighbours.
    spent_.reset();
    return;
  }
  // Time in interrupts is nobody's, and stolen time is another machine's.
  now.host = static_cast<double>(machine_.cpu()->user + machine_.cpu()->system) * tick;
  if (spent_ && now.host >= spent_->host) {
    others_raw_ += now.others() - spent_->others();
    others_ = std::max(others_, others_raw_);
  }
  spent_ = now;
  outlet_.add("others_cpu_seconds_total", now_ns, others_);
}

void HostMetrics::emit_downstream(int64_t now_ns) {
  for (const PeerReading& peer : downstream_.take()) {
    outlet_.add("downstream_awaiting", now_ns, peer.awaiting, {{"peer", peer.peer}});
    outlet_.add("downstream_sockets", now_ns, peer.sockets, {{"peer", peer.peer}});
  }
  if (target_.empty()) {
    descriptors_.reset();
    inodes_.clear();
    problems_.set("descriptors", "");
    (void)downstream_.resolve({}, {});
    return;
  }
  resolve_connections();
  outlet_.add_known("target_descriptors", now_ns, descriptors_);
}

void HostMetrics::resolve_connections() {
  scan_descriptors();
  if (other_network()) {
    problems_.set("downstream",
                  "the target lives in another network namespace: run plumb inside it to see its "
                  "outbound connections");
    return;
  }
  std::vector<uint16_t> listening;
  if (const auto listeners = proc::list_listeners(root_)) {
    for (const proc::Listener& l : listeners.value()) {
      const bool own = std::binary_search(inodes_.begin(), inodes_.end(), l.inode);
      if (own && std::find(listening.begin(), listening.end(), l.port) == listening.end()) {
        listening.push_back(l.port);
      }
    }
  }
  const Status status = downstream_.resolve(inodes_, listening);
  problems_.set("downstream", status.message());
}

void HostMetrics::scan_descriptors() {
  const int64_t begin = host().now_ns();
  if (begin < next_scan_ns_) return;
  size_t count = 0;
  bool all = true;
  std::string denied;
  inodes_.clear();
  for (const Pid pid : target_) {
    const auto held = proc::list_descriptors(root_, pid);
    if (!held) {
      if (held.status().code() != PLUMB_PERMISSION_DENIED) continue;
      all = false;
      denied = held.status().message();
      continue;
    }
    count += held.value().count;
    inodes_.insert(inodes_.end(), held.value().sockets.begin(), held.value().sockets.end());
  }
  std::sort(inodes_.begin(), inodes_.end());
  inodes_.erase(std::unique(inodes_.begin(), inodes_.end()), inodes_.end());
  descriptors_ = all ? std::optional(count) : std::nullopt;
  problems_.set("descriptors", denied);
  const int64_t end = host().now_ns();
  next_scan_ns_ = begin + (end - begin) * kScanShare;
}

bool HostMetrics::other_network() {
  const auto network = [](const std::string& path) {
    char link[64];
    const ssize_t n = ::readlink(path.c_str(), link, sizeof(link));
    return n > 0 ? std::string(link, static_cast<size_t>(n)) : std::string();
  };
  const std::string own = network(root_.of(self_, "ns/net"));
  const std::string target = network(root_.of(target_.front(), "ns/net"));
  return !own.empty() && !target.empty() && own != target;
}

void HostMetrics::emit_processes(int64_t now_ns) {
  if (!processes_.refresh(true)) return;
  const Status status = host().table("processes", table_.json(processes_, roles_, now_ns));
  if (!status) host().log(PLUMB_DEBUG, status.message());
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
    const proc::Stat* stat = target_.empty() ? nullptr : processes_.find(target_.front());
    rows.emplace_back(
        "target", selector_.describe() +
                      (stat != nullptr ? ": " + stat->comm + ", pid " + std::to_string(stat->pid)
                                       : std::string(": not found")));
    if (stat != nullptr) {
      for (auto& row : describe_cgroup(root_, stat->pid)) rows.push_back(std::move(row));
    }
  } else {
    rows.emplace_back("target", "no process of this machine (set target.process in the plan)");
  }
  if (downstream_.looks() > 0) {
    // Whole percents, so that the table is sent again only when it says something new.
    const double share = 100.0 * static_cast<double>(downstream_.undecided()) /
                         static_cast<double>(downstream_.looks());
    rows.emplace_back("outbound connections undecided",
                      std::to_string(std::lround(share)) + "% of looks");
  }
  std::string json = host_table_json(rows, problems_);
  if (json == last_host_table_) return;
  const Status status = host().table("host", json);
  if (!status) host().log(PLUMB_DEBUG, status.message());
  last_host_table_ = std::move(json);
}

void HostMetrics::report_problems() {
  if (problems_.empty()) {
    host().health(PLUMB_HEALTH_OK, "");
  } else {
    host().health(PLUMB_HEALTH_DEGRADED, problems_.text());
  }
}

}  // namespace plumb::host_metrics
