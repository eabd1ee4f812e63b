#include "sync_watch.h"

#include <sys/stat.h>

namespace plumb::sqlite_stats {
namespace {

// The locks are read a little before the threads; one meeting could be of the moment between.
constexpr uint64_t kEnoughToSay = 2;

}  // namespace

void SyncWatch::look(const std::vector<SyncCall>& calls, const LockState& locks,
                     const DatabaseFiles& files) {
  using Kind = DatabaseFiles::Kind;
  ++looks_;
  for (const SyncCall& call : calls) {
    struct stat file {};
    const std::string name = root_.of(call.pid, "fd/" + std::to_string(call.descriptor));
    if (::stat(name.c_str(), &file) != 0) continue;
    const auto kind = files.kind_of(file.st_dev, file.st_ino);
    if (!kind) continue;
    // A checkpoint syncs the WAL too, whatever the setting but OFF.
    const bool holds_write = locks.held != WriteLock::kNone && locks.holder == call.pid;
    const bool checkpoints = locks.checkpointer.has_value();
    if (holds_write && !checkpoints && (*kind == Kind::kWal || *kind == Kind::kJournal)) {
      ++commit_syncs_;
    } else {
      ++other_syncs_;
    }
  }
}

std::string SyncWatch::summary(bool wal) const {
  if (looks_ == 0) return "not known: no writing was seen";
  if (commit_syncs_ >= kEnoughToSay)
    return wal ? "FULL or EXTRA: the WAL is synced inside transactions"
               : "not OFF: the journal is synced inside transactions";
  if (commit_syncs_ + other_syncs_ >= kEnoughToSay)
    return "not OFF: its files are synced" +
           std::string(wal ? ", but no sync of the WAL inside a transaction was met" : "");
  return "not known: no sync was met";
}

}  // namespace plumb::sqlite_stats
