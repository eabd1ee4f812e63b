#include "plugins/host_metrics/cgroup_watch.h"

#include <algorithm>

#include "plugins/proc/fields.h"

namespace plumb::host_metrics {

namespace {

constexpr int kResolveEvery = 10;  // updates: quotas and limits may be changed while they bind
constexpr const char* kPressureFiles[] = {"/cpu.pressure", "/memory.pressure", "/io.pressure"};
// Version 1 says "no limit" with the largest number of whole pages.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

std::optional<uint64_t> number_in(proc::Buffer& buffer, const std::string& path) {
  const proc::Text text = buffer.read(path.c_str());
  return text.ok() ? parse_lone_number(text.text) : std::nullopt;
}

}  // namespace

uint64_t CgroupWatch::Growth::add(uint64_t now) {
  // A first reading, or one below the last (a new group under the old name): nothing is known of
  // what lies before it.
  const uint64_t grew = last && now > *last ? now - *last : 0;
  last = now;
  total += grew;
  return grew;
}

std::optional<uint64_t> CgroupWatch::number(proc::KeptFile& file) {
  const proc::Text text = file.read(buffer_);
  return text.ok() ? parse_lone_number(text.text) : std::nullopt;
}

CgroupTotals CgroupWatch::update(proc::Pid pid) {
  CgroupTotals out;
  if (pid == 0) {
    pid_ = 0;
    return out;
  }
  if (pid != pid_ || --until_resolve_ <= 0) resolve(pid);
  update_cpu(out);
  update_memory(out);
  update_io(out);
  update_pressure(out);
  return out;
}

void CgroupWatch::resolve(proc::Pid pid) {
  until_resolve_ = kResolveEvery;
  const proc::Text text = buffer_.read(root_.of(pid, "cgroup").c_str());
  if (!text.ok()) return;
  CgroupPaths paths = parse_cgroup_paths(text.text);
  const bool moved = pid == pid_ && !(paths == paths_);
  if (moved) change_ = "the target was moved to cgroup '" + paths.service() + "'";
  pid_ = pid;
  paths_ = std::move(paths);

  const CgroupLevels cpu = find_levels(root_, paths_, Controller::kCpu);
  quota_ = cpu.is_machine ? std::nullopt : quota_of(cpu);
  cpu_known_ = !cpu.directories.empty();
  std::vector<CpuLevel> levels;
  for (const std::string& at : cpu.directories) {
    const std::string path = at + "/cpu.stat";
    const auto kept = std::find_if(cpu_.begin(), cpu_.end(),
                                   [&](const CpuLevel& l) { return l.stat.path() == path; });
    if (kept != cpu_.end()) {
      levels.push_back(std::move(*kept));
    } else {
      levels.emplace_back().stat = proc::KeptFile(path);
    }
  }
  cpu_ = std::move(levels);

  const CgroupLevels memory = find_levels(root_, paths_, Controller::kMemory);
  memory_version2_ = memory.version2;
  memory_limit_.reset();
  std::string at =
      memory.is_machine || memory.directories.empty() ? std::string() : memory.directories.front();
  for (const std::string& level : memory.directories) {
    const auto limit =
        number_in(buffer_, level + (memory.version2 ? "/memory.max" : "/memory.limit_in_bytes"));
    if (!limit || *limit >= kNoLimit || (memory_limit_ && *memory_limit_ <= *limit)) continue;
    memory_limit_ = limit;
    at = level;
  }
  const auto open = [&](proc::KeptFile& file, const std::string& base, const char* leaf) {
    const std::string path = base.empty() ? std::string() : base + leaf;
    if (file.path() != path) file = proc::KeptFile(path);
  };
  open(memory_current_, at, memory.version2 ? "/memory.current" : "/memory.usage_in_bytes");
  open(memory_events_, at, memory.version2 ? "/memory.events" : "/memory.oom_control");
  open(memory_failures_, memory.version2 ? std::string() : at, "/memory.failcnt");

  const CgroupLevels io = find_levels(root_, paths_, Controller::kIo);
  const bool io_seen = !io.is_machine && !io.directories.empty();
  io_version2_ = io.version2;
  open(io_, io_seen ? io.directories.front() : std::string(),
       io.version2 ? "/io.stat" : "/blkio.throttle.io_service_bytes");

  // Only version 2 tells pressure, also where all controllers are version 1's.
  CgroupPaths unified;
  unified.unified = paths_.unified;
  const CgroupLevels two = find_levels(root_, unified, Controller::kIo);
  const bool two_seen = !two.is_machine && !two.directories.empty();
  for (size_t i = 0; i < pressure_.size(); ++i) {
    open(pressure_[i], two_seen ? two.directories.front() : std::string(), kPressureFiles[i]);
  }
}

void CgroupWatch::update_cpu(CgroupTotals& out) {
  if (!cpu_known_) return;
  out.quota_processors = quota_;
  Throttling most;
  size_t readable = 0;
  for (CpuLevel& level : cpu_) {
    const proc::Text text = level.stat.read(buffer_);
    if (!text.ok()) continue;
    ++readable;
    const auto now = parse_throttling(text.text);
    if (!now) continue;
    const uint64_t periods = level.periods.add(now->periods);
    const uint64_t throttled = level.throttled.add(now->throttled_periods);
    const uint64_t ns = level.throttled_ns.add(now->throttled_ns);
    // A group that is held back holds back those inside it: counting both would count twice.
    if (ns > most.throttled_ns || (ns == most.throttled_ns && periods > most.periods)) {
      most = {periods, throttled, ns};
    }
  }
  throttling_.periods += most.periods;
  throttling_.throttled_periods += most.throttled_periods;
  throttling_.throttled_ns += most.throttled_ns;
  if (readable > 0) {
    out.throttling = throttling_;
    cpu_seen_ = true;
  } else if (std::exchange(cpu_seen_, false)) {
    change_ = "the target's cgroup '" + paths_.service() + "' is gone";
    until_resolve_ = 0;
  }
}

void CgroupWatch::update_memory(CgroupTotals& out) {
  if (memory_current_.path().empty()) return;
  out.memory_bytes = number(memory_current_);
  if (out.memory_bytes) out.memory_limit_bytes = memory_limit_;
  const proc::Text text = memory_events_.read(buffer_);
  if (!text.ok()) return;
  std::optional<MemoryEvents> now;
  if (memory_version2_) {
    now = parse_memory_events(text.text);
  } else if (const auto kills = proc::number_after(text.text, "oom_kill ")) {
    if (const auto failures = number(memory_failures_)) now = {{0, *failures, *kills, *kills}};
  }
  if (!now) return;
  memory_growth_[0].add(now->high);
  memory_growth_[1].add(now->max);
  memory_growth_[2].add(now->oom);
  memory_growth_[3].add(now->oom_kill);
  out.memory_events = {memory_growth_[0].total, memory_growth_[1].total, memory_growth_[2].total,
                       memory_growth_[3].total};
}

void CgroupWatch::update_io(CgroupTotals& out) {
  if (io_.path().empty()) return;
  const proc::Text text = io_.read(buffer_);
  if (!text.ok()) return;
  const auto now = io_version2_ ? parse_io_stat(text.text) : parse_blkio(text.text);
  if (!now) return;
  read_.add(now->read);
  written_.add(now->written);
  out.io = {read_.total, written_.total};
}

void CgroupWatch::update_pressure(CgroupTotals& out) {
  for (size_t i = 0; i < pressure_.size(); ++i) {
    if (pressure_[i].path().empty()) continue;
    const proc::Text text = pressure_[i].read(buffer_);
    const auto now = text.ok() ? parse_pressure(text.text) : std::nullopt;
    if (!now) continue;
    Pressure& totals = out.pressure[i].emplace();
    if (now->some_us) {
      some_[i].add(*now->some_us);
      totals.some_us = some_[i].total;
    }
    if (now->full_us) {
      full_[i].add(*now->full_us);
      totals.full_us = full_[i].total;
    }
  }
}

}  // namespace plumb::host_metrics
