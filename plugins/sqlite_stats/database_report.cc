// What a watched database says: its state for people, and series.
#include <array>
#include <vector>

#include "database_watch.h"
#include "tables.h"

namespace plumb::sqlite_stats {

bool DatabaseWatch::is_there() const {
  return files_.open() && (files_.header() || files_.database_bytes().value_or(0) == 0);
}

std::string DatabaseWatch::cut_off() const {
  const uint64_t bytes = files_.open() ? files_.database_bytes().value_or(0) : 0;
  if (bytes == 0 || bytes >= kDatabaseHeaderBytes) return {};
  return name() + " is cut off, or no SQLite database: it has " + std::to_string(bytes) +
         " bytes, and the header alone has " + std::to_string(kDatabaseHeaderBytes);
}

Status DatabaseWatch::flush(int64_t now_ns) {
  if (!counters_known()) return Status::ok();
  const Totals& totals = files_.totals();
  const std::array samples = {
      plumb_sample{series_.commits.id, 0, now_ns, static_cast<double>(totals.commits)},
      plumb_sample{series_.wal_frames.id, 0, now_ns, static_cast<double>(totals.wal_frames)},
      plumb_sample{series_.checkpoints.id, 0, now_ns, static_cast<double>(totals.checkpoints)},
      plumb_sample{series_.checkpointed_pages.id, 0, now_ns,
                   static_cast<double>(totals.checkpointed_pages)},
      plumb_sample{series_.wal_resets.id, 0, now_ns, static_cast<double>(totals.wal_resets)},
  };
  return host_.emit(samples);
}

Status DatabaseWatch::report(int64_t now_ns) {
  std::vector<plumb_sample> samples;
  const auto add = [&](Series series, double value) {
    samples.push_back({series.id, 0, now_ns, value});
  };
  const auto ratio = [this](int64_t held_ns) {
    return static_cast<double>(held_ns) / static_cast<double>(watched_ns_);
  };
  if (watched_ns_ > 0) {
    add(series_.write_lock_ratio, ratio(write_held_ns_));
    for (size_t i = 0; i < kLockKinds; ++i) add(series_.lock_ratio.at(i), ratio(held_ns_.at(i)));
  }
  if (const auto waiters = waiters_.take()) add(series_.waiters, *waiters);
  write_held_ns_ = watched_ns_ = 0;
  held_ns_ = {};
  if (files_.open()) {
    const auto& wal = files_.wal_index();
    const auto& header = files_.header();
    if (wal) {
      add(series_.debt, wal->checkpoint_debt());
      add(series_.pinned_frames, readers_.held_back());
      add(series_.oldest_reader, static_cast<double>(readers_.oldest_ns()) / 1e9);
      add(series_.database_pages, wal->pages);
    } else if (header && header->pages) {
      add(series_.database_pages, *header->pages);
    }
    if (header) add(series_.free_pages, header->free_pages);
    if (const auto bytes = files_.wal_bytes()) add(series_.wal_bytes, static_cast<double>(*bytes));
    if (const auto bytes = files_.database_bytes())
      add(series_.database_bytes, static_cast<double>(*bytes));
  }
  if (!samples.empty()) PLUMB_RETURN_IF_ERROR(host_.emit(samples));
  if (const auto record = lengths_.take(now_ns, holds_.current(), false))
    PLUMB_RETURN_IF_ERROR(
        host_.emit(series_.hold_seconds, record->start_ns, record->end_ns, record->lengths));
  return flush(now_ns);
}

Status DatabaseWatch::finish() {
  const int64_t now_ns = host_.now_ns();
  PLUMB_RETURN_IF_ERROR(report(now_ns));
  if (const auto record = lengths_.take(now_ns, nullptr, true))
    PLUMB_RETURN_IF_ERROR(
        host_.emit(series_.hold_seconds, record->start_ns, record->end_ns, record->lengths));
  if (ever_open_) return Status::ok();
  return host_.event(PLUMB_WARNING, "sqlite-database-never-found",
                     file_problem_ + " It never came: nothing was measured of it.",
                     to_text({{"database", name_}}));
}

}  // namespace plumb::sqlite_stats
