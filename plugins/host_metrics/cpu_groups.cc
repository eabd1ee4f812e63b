#include "plugins/host_metrics/cpu_groups.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace plumb::host_metrics {

namespace {

using GroupJson = nlohmann::json;

constexpr size_t kMostLabels = 11;     // and "other" beside them
constexpr size_t kMostTableRows = 10;  // besides the target's
constexpr double kWorthALabel = 0.25;  // processor seconds
constexpr const char* kTarget = "target";
constexpr const char* kUnseen = "short-lived";
constexpr const char* kStolen = "steal";
constexpr const char* kQuota = "quota";
constexpr const char* kRest = "other";

bool is_always_labelled(std::string_view name) {
  return name == kTarget || name == "plumb" || name == "load" || name == "database" ||
         name == "kernel" || name == kUnseen;
}
constexpr size_t kReserved = 6;

// `parts` to a whole: 100 keeps two digits.
double rounded_to(double value, double parts) { return std::round(value * parts) / parts; }

}  // namespace

double CpuGroups::held_back(const Second& s) {
  const double waited = s.waited.value_or(0);
  // While a processor is closed to the group, each of its threads queued there waits.
  const double queued = std::max(1.0, s.runnable_threads / std::max(1.0, s.cpus));
  return std::clamp(s.throttled * queued, 0.0, waited);
}

void CpuGroups::add_to(std::string_view name, double used, const Second& s, double waited,
                       double all) {
  if (!(used > 0)) return;
  auto it = groups_.find(name);
  if (it == groups_.end()) it = groups_.emplace(std::string(name), Group{}).first;
  Group& group = it->second;
  group.used += used;
  group.weighted += used / s.length * waited;
  if (all > 0) group.beside += waited * used / all;
}

void CpuGroups::add(const Second& s) {
  if (!(s.length > 0)) return;
  known_ = known_ || s.waited.has_value();
  for (auto& [name, group] : groups_) {
    if (group.labelled) continue;
    group.used_before = group.used;
    group.weighted_before = group.weighted;
    group.beside_before = group.beside;
  }
  const double quota = held_back(s);
  const double waited = s.waited.value_or(0) - quota;
  double all = s.target + s.unseen + s.stolen;
  for (const Used& used : s.used) all += used.seconds;
  for (const Used& used : s.used) add_to(used.group, used.seconds, s, waited, all);
  add_to(kTarget, s.target, s, waited, all);
  add_to(kUnseen, s.unseen, s, waited, all);
  add_to(kStolen, s.stolen, s, waited, all);
  waited_ += waited;
  held_back_ += quota;
  seconds_ += s.length;
  cpus_ = s.cpus;
  label();
}

void CpuGroups::label() {
  for (auto& [name, group] : groups_) {
    if (group.labelled || name == kStolen) continue;
    const bool reserved = is_always_labelled(name);
    if (!reserved && (group.used < kWorthALabel || labels_ >= kMostLabels - kReserved)) continue;
    group.labelled = true;
    if (reserved) {
      group.used_before = group.weighted_before = group.beside_before = 0;
    } else {
      ++labels_;
    }
  }
}

void CpuGroups::emit(int64_t now_ns, Outlet& outlet) const {
  Group rest;
  const auto tell = [&](std::string_view name, double used, double weighted, double beside) {
    if (name != kStolen) {
      outlet.add("host_group_cpu_seconds_total", now_ns, used, {{"group", name}});
    }
    if (!known_) return;
    outlet.add("target_runqueue_beside_seconds_total", now_ns, beside, {{"group", name}});
    if (waited_ > 0) {
      outlet.add("host_group_overlap_processors", now_ns, weighted / waited_, {{"group", name}});
    }
  };
  for (const auto& [name, group] : groups_) {
    if (!group.labelled && name != kStolen) {
      rest.used += group.used;
      rest.weighted += group.weighted;
      rest.beside += group.beside;
      continue;
    }
    rest.used += group.used_before;
    rest.weighted += group.weighted_before;
    rest.beside += group.beside_before;
    tell(name, group.used - group.used_before, group.weighted - group.weighted_before,
         group.beside - group.beside_before);
  }
  if (rest.used > 0) tell(kRest, rest.used, rest.weighted, rest.beside);
  if (known_ && held_back_ > 0) {
    outlet.add("target_runqueue_beside_seconds_total", now_ns, held_back_, {{"group", kQuota}});
  }
}

void CpuGroups::begin_table() {
  for (auto& [name, group] : groups_) {
    group.table_used = group.used;
    group.table_weighted = group.weighted;
    group.table_beside = group.beside;
  }
  table_waited_ = waited_;
  table_held_back_ = held_back_;
  table_seconds_ = seconds_;
}

std::string CpuGroups::table_json() const {
  std::vector<std::pair<double, const std::pair<const std::string, Group>*>> by_use;
  for (const auto& entry : groups_) {
    const double used = entry.second.used - entry.second.table_used;
    if (used > 0 || entry.first == kTarget) by_use.emplace_back(used, &entry);
  }
  std::stable_sort(by_use.begin(), by_use.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const double machine = (seconds_ - table_seconds_) * cpus_;
  const double waited = waited_ - table_waited_;
  size_t left = kMostTableRows;
  GroupJson rows = GroupJson::array();
  for (const auto& [used, entry] : by_use) {
    const auto& [name, group] = *entry;
    if (name != kTarget && left == 0) continue;
    if (name != kTarget) --left;
    GroupJson overlap = nullptr;
    GroupJson beside = nullptr;
    if (known_) {
      if (waited > 0) overlap = rounded_to((group.weighted - group.table_weighted) / waited, 1000);
      beside = rounded_to(group.beside - group.table_beside, 1000);
    }
    GroupJson share = nullptr;
    if (machine > 0) share = rounded_to(used / machine, 10000);
    rows.push_back({name, rounded_to(used, 100), share, overlap, beside});
  }
  if (known_ && held_back_ > table_held_back_) {
    rows.push_back({"quota of the target's cgroup", nullptr, nullptr, nullptr,
                    rounded_to(held_back_ - table_held_back_, 1000)});
  }
  const auto column = [](const char* key, const char* title, const char* unit) {
    GroupJson out = {{"key", key}, {"title", title}};
    if (unit != nullptr) out["unit"] = unit;
    return out;
  };
  const GroupJson table = {
      {"title", "Who used the processors, and what the target waited beside them"},
      {"columns",
       {column("group", "Group", nullptr), column("cpu", "CPU", "seconds"),
        column("share", "Share of the machine", "ratio"),
        column("overlap", "Processors used while the target waited", nullptr),
        column("beside", "Target's waiting beside it", "seconds")}},
      {"rows", rows}};
  return table.dump(-1, ' ', false, GroupJson::error_handler_t::replace);
}

}  // namespace plumb::host_metrics
