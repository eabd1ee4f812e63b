#include "plugins/host_metrics/target_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace plumb::host_metrics {

namespace {

using TargetJson = nlohmann::json;

constexpr size_t kMostProcesses = 40;

double since(double before, double now) { return std::max(0.0, now - before); }
uint64_t since(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

}  // namespace

void TargetTable::begin(std::span<const ProcessUse> processes, int64_t now_ns) {
  base_.clear();
  for (const ProcessUse& p : processes) base_[p.pid] = p;
  begin_ns_ = now_ns;
}

std::string TargetTable::thread_name(proc::Pid pid, proc::Pid tid) {
  if (tid == 0) return {};
  const proc::Text text = buffer_.read(root_.of_task(pid, tid, "comm").c_str());
  return text.ok() ? std::string(text.text.substr(0, text.text.find('\n'))) : std::string();
}

std::string TargetTable::json(std::span<const ProcessUse> processes, int64_t now_ns) {
  struct Row {
    const ProcessUse* now;
    ProcessUse before;
    double cpu() const {
      return since(before.user_seconds + before.system_seconds,
                   now->user_seconds + now->system_seconds);
    }
  };
  std::vector<Row> rows;
  for (const ProcessUse& p : processes) {
    const auto base = base_.find(p.pid);
    const bool same = base != base_.end() && base->second.start_ticks == p.start_ticks;
    rows.push_back({&p, same ? base->second : ProcessUse{}});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.cpu() > b.cpu(); });
  if (rows.size() > kMostProcesses) rows.resize(kMostProcesses);

  const double seconds = static_cast<double>(now_ns - begin_ns_) / 1e9;
  const auto rate = [&](double amount) -> TargetJson {
    if (seconds <= 0) return nullptr;
    return std::round(amount / seconds * 1e4) / 1e4;
  };
  TargetJson out = TargetJson::array();
  for (const Row& row : rows) {
    const ProcessUse& now = *row.now;
    const ProcessUse& before = row.before;
    TargetJson block_io = nullptr;
    if (now.block_io_seconds) {
      block_io = rate(since(before.block_io_seconds.value_or(0), *now.block_io_seconds));
    }
    TargetJson busiest = nullptr;
    if (now.busiest_thread != 0) {
      busiest = thread_name(now.pid, now.busiest_thread) + " (" +
                std::to_string(now.busiest_thread) + ")";
    }
    out.push_back({now.pid, now.command, now.threads,
                   rate(since(before.user_seconds, now.user_seconds)),
                   rate(since(before.system_seconds, now.system_seconds)),
                   rate(since(before.runqueue_seconds, now.runqueue_seconds)), block_io,
                   rate(static_cast<double>(since(before.minor_faults, now.minor_faults))),
                   since(before.major_faults, now.major_faults), now.resident_bytes, busiest});
  }
  const auto column = [](const char* key, const char* title, const char* unit) {
    TargetJson c = {{"key", key}, {"title", title}};
    if (unit != nullptr) c["unit"] = unit;
    return c;
  };
  const TargetJson table = {
      {"title", "The target's processes"},
      {"columns",
       {column("pid", "PID", nullptr), column("command", "Command", nullptr),
        column("threads", "Threads", nullptr), column("user", "User CPU share", "ratio"),
        column("system", "System CPU share", "ratio"),
        column("runqueue", "Run-queue share", "ratio"),
        column("block_io", "Waiting for the disk", "ratio"),
        column("minor_faults", "Minor faults per second", nullptr),
        column("major_faults", "Major faults", nullptr), column("resident", "Resident", "bytes"),
        column("busiest", "Busiest thread", nullptr)}},
      {"rows", out}};
  // A name may hold any bytes.
  return table.dump(-1, ' ', false, TargetJson::error_handler_t::replace);
}

}  // namespace plumb::host_metrics
