#include "plugins/host_metrics/process_survey.h"

#include <algorithm>
#include <utility>

#include "plugins/host_metrics/cgroup.h"

namespace plumb::host_metrics {

using proc::Pid;

namespace {

constexpr size_t kMostKeptDescriptors = 120;
constexpr size_t kMostNames = 256;
constexpr int kPatienceAtFirst = 4;
constexpr int kMostPatience = 6;  // an idle process is looked at every 64th update at least
// What the machine used and nobody was seen to use: more than the clocks' grain explains.
constexpr uint64_t kUnseenTicks = 4;
constexpr uint64_t kUnseenPart = 20;      // of what the machine used
constexpr uint64_t kLeastSweepPause = 4;  // updates; doubles while sweeps find nothing,
constexpr uint64_t kMostSweepPause = 64;  // up to this

constexpr int kMostGenerations = 16;
constexpr Pid kKernelThreads = 2;  // the parent of all of them

bool is_load_generator(std::string_view comm) {
  for (const std::string_view name :
       {"wrk", "wrk2", "k6", "hey", "ab", "h2load", "vegeta", "locust", "bombardier", "oha",
        "siege", "fortio", "pgbench", "jmeter", "gatling", "tsung", "artillery"}) {
    if (comm == name) return true;
  }
  return false;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) c = '?';
  }
  return out;
}

uint64_t above(uint64_t value, uint64_t less) { return value > less ? value - less : 0; }

}  // namespace

ProcessSurvey::ProcessSurvey(proc::Root root)
    : root_(std::move(root)), kept_(kMostKeptDescriptors) {}

int ProcessSurvey::named(const std::string& name) {
  if (const auto it = index_.find(name); it != index_.end()) return it->second;
  if (names_.size() >= kMostNames && name != "other") return named("other");
  const int index = static_cast<int>(names_.size());
  index_.emplace(name, index);
  names_.push_back(name);
  growth_.push_back(0);
  return index;
}

int ProcessSurvey::group_of(const proc::Stat& stat, Role role) {
  if (role == Role::kPlumb) {
    // Which plugin a plumb-host runs stands in its arguments.
    const bool loads =
        proc::read_cmdline(root_, stat.pid, buffer_).find("/http_load.so") != std::string::npos;
    return named(loads ? "load" : "plumb");
  }
  if (role == Role::kDatabase) return named("database");
  if (stat.pid == kKernelThreads || stat.ppid == kKernelThreads) return named("kernel");
  if (is_load_generator(stat.comm)) return named("load");
  const proc::Text text = buffer_.read(root_.of(stat.pid, "cgroup").c_str());
  if (text.ok()) {
    const std::string service = service_name(parse_cgroup_paths(text.text).service());
    if (!service.empty()) return named(printable(service));
  }
  return named(stat.comm.empty() ? "?" : printable(stat.comm));
}

void ProcessSurvey::count(Process& p, const proc::Stat& stat, uint64_t ticks) {
  if (ticks == 0 || p.role == Role::kTarget) return;
  if (p.group < 0) p.group = group_of(stat, p.role);
  growth_[static_cast<size_t>(p.group)] += ticks;
  accounted_ += ticks;
  if (p.role == Role::kPlumb) plumb_ticks_ += ticks;
  if (p.role == Role::kDatabase) database_ticks_ += ticks;
}

void ProcessSurvey::take(const proc::Stat& stat, Process& p, const Machine& machine) {
  const uint64_t ticks = stat.user_ticks + stat.system_ticks;
  const uint64_t reaped = stat.reaped_user_ticks + stat.reaped_system_ticks;
  uint64_t first_due = 0;
  if (p.start_ticks != stat.start_ticks) {
    const uint64_t since = machine.born_since_ticks;
    const bool born = since != 0 && stat.start_ticks + 1 >= since;
    const Role role = p.role;
    p = Process{};
    p.role = role;
    p.seen = true;
    p.stat = proc::KeptFile(root_.of(stat.pid, "stat"), &kept_);
    p.start_ticks = stat.start_ticks;
    p.ticks = born ? 0 : ticks;
    p.reaped = born ? 0 : reaped;
    // One that was there before may have slept for hours: should it run, the first sweep finds it.
    // They are not to become due all at once.
    p.idle = born ? 0 : kPatienceAtFirst;
    first_due =
        born ? 0 : updates_ + 1 + static_cast<uint64_t>(stat.pid) % (1u << kPatienceAtFirst);
  }
  p.parent = stat.ppid;
  const uint64_t used = above(ticks, p.ticks);
  p.ticks = std::max(p.ticks, ticks);
  if (reaped > p.reaped) {
    p.children.grew(reaped - p.reaped);
    parents_.push_back(stat.pid);
  }
  p.reaped = std::max(p.reaped, reaped);
  p.idle = used > 0 ? 0 : std::min(p.idle + 1, kMostPatience);
  p.updated = updates_;
  p.due = first_due != 0 ? first_due : updates_ + (uint64_t{1} << p.idle);
  count(p, stat, used);
}

void ProcessSurvey::read(proc::ProcessList& list, Pid pid, Process& p, const Machine& machine) {
  ++reads_;
  const proc::Text text = p.stat.read(buffer_);
  const auto stat = text.ok() ? proc::parse_stat(text.text) : std::nullopt;
  if (stat && stat->pid == pid) {
    take(*stat, p, machine);
    list.note(*stat);
  }
  if (p.idle > 1) p.stat.close();
}

void ProcessSurvey::update(proc::ProcessList& list, const Roles& roles, const Machine& machine) {
  ++updates_;
  accounted_ = 0;
  std::fill(growth_.begin(), growth_.end(), 0);
  if (generation_ != list.generation() || roles_ != roles) {
    take_over(list, roles);
    // Before anybody is read: who takes over from those that ended is read now.
    forget_ended();
  }
  for (auto& [pid, p] : processes_) {
    // The target's own stat is read elsewhere; what it hands to its parent in the end counts here.
    const bool target = p.role == Role::kTarget;
    if (!target && p.due > updates_) continue;
    const proc::Stat* stat = list.find(pid);
    const bool fresh = p.start_ticks != stat->start_ticks;
    if (fresh || target) {
      take(*stat, p, machine);
    } else {
      due_.push_back(pid);
    }
  }
  for (const Pid pid : std::exchange(due_, {})) read(list, pid, processes_[pid], machine);
  settle(list, machine);

  const uint64_t seen = accounted_ + machine.target_ticks;
  const uint64_t unseen = above(machine.busy_ticks, seen);
  const bool gap = unseen > std::max(kUnseenTicks, machine.busy_ticks / kUnseenPart);
  if (gap && updates_ >= next_sweep_) {
    const uint64_t before = accounted_;
    for (auto& [pid, p] : processes_) {
      if (p.seen && p.updated != updates_ && p.role != Role::kTarget) read(list, pid, p, machine);
    }
    settle(list, machine);
    const bool helped = 2 * (accounted_ - before) >= unseen;
    sweep_pause_ = helped ? kLeastSweepPause : std::min(2 * sweep_pause_, kMostSweepPause);
    next_sweep_ = updates_ + sweep_pause_;
  }
}

void ProcessSurvey::take_over(const proc::ProcessList& list, const Roles& roles) {
  generation_ = list.generation();
  roles_ = roles;
  for (auto& [pid, p] : processes_) p.seen = false;
  for (const auto& [pid, stat] : list.all()) {
    Process& p = processes_[pid];
    p.seen = true;
    if (p.start_ticks != stat.start_ticks) p.due = 0;
    const Role role = roles.of(pid);
    if (role != p.role) p.group = -1;
    p.role = role;
  }
}

void ProcessSurvey::settle(const proc::ProcessList& list, const Machine& machine) {
  for (const Pid pid : parents_) {
    const auto it = processes_.find(pid);
    const proc::Stat* stat = list.find(pid);
    if (it == processes_.end() || stat == nullptr) continue;
    // More than the machine used beside those that were read cannot have been used now: a child's
    // time went to another parent than was known.
    const uint64_t room =
        above(machine.busy_ticks, accounted_ + machine.target_ticks) + kUnseenTicks;
    const uint64_t brief = std::min(it->second.children.settle(), room);
    // Plumb may have started the target, which is not plumb's to answer for.
    if (it->second.role != Role::kPlumb) count(it->second, *stat, brief);
    if (it->second.children.owed() > 0) owing_.push_back(pid);
  }
  parents_ = std::exchange(owing_, {});
}

ProcessSurvey::Process* ProcessSurvey::living_ancestor(const Process& p) {
  Pid pid = p.parent;
  for (int generation = 0; generation < kMostGenerations; ++generation) {
    const auto it = processes_.find(pid);
    if (it == processes_.end()) return nullptr;
    if (it->second.seen) {
      parents_.push_back(pid);
      return &it->second;
    }
    pid = it->second.parent;
  }
  return nullptr;
}

void ProcessSurvey::forget_ended() {
  for (auto& [pid, p] : processes_) {
    if (p.seen) continue;
    // Its parent's reaped times hold, or will hold, all that this one was counted for; if the
    // parent has ended with it, those of the parent's parent.
    if (Process* heir = living_ancestor(p)) {
      heir->children.ended(p.ticks + p.reaped + p.children.owed());
      heir->due = updates_;
    }
  }
  std::erase_if(processes_, [](const auto& entry) { return !entry.second.seen; });
}

}  // namespace plumb::host_metrics
