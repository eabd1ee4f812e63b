#include "inspections.h"

#include <algorithm>
#include <utility>

#include "durations.h"
#include "tables.h"

namespace plumb::sqlite_stats {
namespace {

constexpr int64_t kIdleBefore = 300 * kMillisecond;
constexpr int64_t kIdleAtTheEnd = 50 * kMillisecond;
constexpr int64_t kBudget = 1'500 * kMillisecond;
constexpr int64_t kWholeBudgetAtTheEnd = 3'000 * kMillisecond;
// The inspector is killed this long after its budget; and something is left to be said after that.
constexpr int64_t kReserve = 900 * kMillisecond;

bool can_be_inspected(const DatabaseWatch& watch) {
  return watch.files().open() && watch.files().header().has_value();
}

}  // namespace

void Inspections::start() {
  const Result<std::string> program = find_inspector();
  if (program.is_ok()) {
    inspector_ = std::make_unique<Inspector>(*program, statements_);
  } else {
    problem_ = program.status().message();
  }
}

Status Inspections::tick(int64_t now_ns, const Watches& watches) {
  if (!inspector_) return Status::ok();
  if (inspector_->is_running()) {
    auto found = inspector_->poll(now_ns);
    return found ? take(*current_, std::move(*found)) : Status::ok();
  }
  for (const auto& watch : watches) {
    if (!can_be_inspected(*watch)) continue;
    const auto before = inspected_.find(watch->name());
    const bool done =
        before != inspected_.end() && before->second == watch->files().identity().inode;
    if (!done && watch->idle_ns(now_ns) >= kIdleBefore) return begin(*watch, now_ns, kBudget);
  }
  return Status::ok();
}

Status Inspections::finish(int64_t deadline_ns, const Watches& watches) {
  if (!inspector_) return Status::ok();
  inspector_->kill();
  const int64_t until_ns = std::min(deadline_ns, host_.now_ns() + kWholeBudgetAtTheEnd) - kReserve;
  for (const auto& watch : watches) {
    const int64_t now_ns = host_.now_ns();
    const int64_t budget_ns = std::min(kBudget, until_ns - now_ns);
    if (budget_ns < kMillisecond) break;
    // Only a rollback journal lets a reader stand in a writer's way.
    const bool wal = watch->files().header() && watch->files().header()->wal;
    if (!can_be_inspected(*watch) || (!wal && watch->idle_ns(now_ns) < kIdleAtTheEnd)) continue;
    PLUMB_RETURN_IF_ERROR(begin(*watch, now_ns, budget_ns));
    while (inspector_->is_running()) {
      if (auto found = inspector_->poll(host_.now_ns())) {
        PLUMB_RETURN_IF_ERROR(take(*watch, std::move(*found)));
      } else {
        inspector_->wait(budget_ns);
      }
    }
  }
  return Status::ok();
}

Status Inspections::begin(DatabaseWatch& watch, int64_t now_ns, int64_t budget_ns) {
  inspected_[watch.name()] = watch.files().identity().inode;
  current_ = &watch;
  const Status started = inspector_->start(watch.files().real_path(), now_ns, budget_ns);
  return started.is_ok() ? Status::ok() : take(watch, started);
}

Status Inspections::take(DatabaseWatch& watch, Result<Inspection> found) {
  const std::string reason = found.is_ok() ? found->refused : found.status().message();
  if (reason.empty()) {
    std::string note;
    for (const std::string& text : found->notes) note += (note.empty() ? "" : "; ") + text;
    watch.set_note(note);
    found_[watch.name()] = std::move(found).value();
    has_news_ = true;
    return Status::ok();
  }
  const bool known = found_.contains(watch.name());
  watch.set_note((known ? "not inspected again: " : "not inspected: ") + reason);
  return host_.event(PLUMB_INFO, "sqlite-inspection-refused",
                     watch.name() + " was not inspected: " + reason,
                     to_text({{"database", watch.name()}}));
}

Status Inspections::emit_tables() {
  if (!has_news_) return Status::ok();
  nlohmann::json tables = tables_table();
  nlohmann::json plans = plans_table();
  for (const auto& [name, inspection] : found_) {
    inspection.add_table_rows(name, tables["rows"]);
    inspection.add_plan_rows(name, plans["rows"]);
  }
  constexpr size_t kRowsColumn = 2;
  if (!tables["rows"].empty()) {
    keep_largest(tables, kRowsColumn);
    PLUMB_RETURN_IF_ERROR(host_.table("sqlite_tables", to_text(tables)));
  }
  // Each database is asked about every statement, and the host takes no more rows than this.
  constexpr size_t kMostRows = 1'000;
  if (auto& rows = plans["rows"]; rows.size() > kMostRows)
    rows.erase(rows.begin() + kMostRows, rows.end());
  if (!plans["rows"].empty()) PLUMB_RETURN_IF_ERROR(host_.table("sqlite_plans", to_text(plans)));
  has_news_ = false;
  return Status::ok();
}

}  // namespace plumb::sqlite_stats
