// What a watched database has to say in tables.
#include <algorithm>

#include "database_watch.h"
#include "tables.h"

namespace plumb::sqlite_stats {
namespace {

std::string joined(const std::vector<std::string>& sentences) {
  std::string out;
  for (const std::string& sentence : sentences) out += (out.empty() ? "" : "; ") + sentence;
  return out;
}

std::string hex(uint32_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) out += kDigits[value >> shift & 15];
  return out;
}

}  // namespace

void DatabaseWatch::add_holder_rows(nlohmann::json& rows) const {
  const auto watched = static_cast<double>(std::max<int64_t>(1, holds_.watched_ns()));
  const auto held = static_cast<double>(std::max<int64_t>(1, holds_.held_ns()));
  for (const auto& [key, holder] : holds_.holders()) {
    // A hold that only one sample met was shorter than the distance of two.
    const nlohmann::json longest =
        holder.longest_ns > 0 ? nlohmann::json(seconds_of(holder.longest_ns)) : nullptr;
    rows.push_back({name_, key.first, holder.command, write_lock_name(key.second),
                    rounded(static_cast<double>(holder.held_ns) / watched, 1e-4), longest,
                    rounded(static_cast<double>(holder.held_ns) / held, 1e-4)});
  }
}

void DatabaseWatch::add_reader_rows(nlohmann::json& rows) const {
  for (const Pin* pin : readers_.worst()) {
    rows.push_back({name_, pin->pid, pin->command.empty() ? "?" : pin->command, pin->slot,
                    pin->frame, pin->held_back, seconds_of(pin->length_ns()),
                    pin->over ? "over" : "now"});
  }
}

void DatabaseWatch::add_database_row(nlohmann::json& rows) const {
  const auto header = files_.open() ? files_.header() : std::nullopt;
  const std::string notes_text = joined(notes());
  if (!header) {
    nlohmann::json row{name_, "unknown"};
    while (row.size() + 1 < databases_table().at("columns").size()) row.push_back(nullptr);
    row.push_back(notes_text);
    rows.push_back(std::move(row));
    return;
  }
  const auto& wal = files_.wal_index();
  nlohmann::json pages;
  if (wal) {
    pages = wal->pages;
  } else if (header->pages) {
    pages = *header->pages;
  }
  rows.push_back({name_, header->wal ? "WAL" : "rollback journal", header->page_bytes, pages,
                  header->free_pages, header->auto_vacuum_name(), syncs_.summary(header->wal),
                  header->user_version, hex(header->application_id),
                  version_text(header->sqlite_version), notes_text});
}

std::vector<std::string> DatabaseWatch::notes() const {
  std::vector<std::string> notes;
  if (!problem_.empty()) notes.push_back(problem_);
  if (files_.open() && reading_ == LockReading::kList && files_.identity().any_device)
    notes.push_back("locks are matched by inode alone on this file system");
  if (files_.open() && files_.identity().remote)
    notes.push_back("on a network file system: locks of other machines are not seen");
  const auto header = files_.open() ? files_.header() : std::nullopt;
  if (files_.open() && !header && problem_.empty()) notes.push_back("the file is empty");
  if (header && header->wal && !files_.has_shm() && files_.hidden_shm().empty())
    notes.push_back(counters_known() ? "no -shm file: nobody uses it now"
                                     : "locking_mode=EXCLUSIVE: commits are not seen");
  if (!note_.empty()) notes.push_back(note_);
  return notes;
}

}  // namespace plumb::sqlite_stats
