// Which readers keep checkpoints from catching up with the WAL, and by how much.
//
// A read transaction holds one of five slots (bytes 123 to 127 of the -shm file), and the slot's
// read mark is the last frame of the state that it reads. A checkpoint copies no frame past the
// lowest mark in use. Slot 0 belongs to readers that found the whole WAL copied back: they read the
// database file itself, and while one does, nothing is copied at all.
//
// A new reader takes the newest state there is, so a slot whose mark is behind was taken by a
// transaction that began before the next commit: it pins since then at the latest.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_READERS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_READERS_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "file_format.h"
#include "locks.h"

namespace plumb::sqlite_stats {

// A reader behind the last commit.
struct Pin {
  int32_t pid = 0;
  int slot = 0;
  uint32_t frame = 0;      // checkpoints stop here
  int64_t since_ns = 0;    // the first look that found it behind
  int64_t last_ns = 0;     // the last look that found it
  uint32_t held_back = 0;  // frames past `frame`, at most so far
  std::string command;
  bool told = false;
  bool over = false;

  int64_t length_ns() const { return last_ns - since_ns; }
};

// Not thread-safe.
class ReaderWatch {
 public:
  // The most pins kept for the table: those that held most back.
  static constexpr size_t kMostPinsKept = 20;

  // One look. `wal` was read after `readers`, so that a mark is never older than its lock.
  void look(int64_t now_ns, const std::vector<ReaderLock>& readers, const WalIndex& wal);
  // There is no WAL now.
  void clear();

  // Frames that the present pins hold back, and how long the oldest has; 0 without one. Pins are
  // believed from their second look on: ordinary readers are behind for a moment, too.
  uint32_t held_back() const;
  int64_t oldest_ns() const;
  bool any() const { return !pins_.empty(); }

  // Pins that have just become worth telling (over a second, over a hundred frames); each once.
  std::vector<Pin*> take_news();
  // Pins without a command yet, to be named.
  std::vector<Pin*> nameless();
  // Present ones first, then those that held most back.
  std::vector<const Pin*> worst() const;

 private:
  using Key = std::tuple<int32_t, int, uint32_t, uint32_t>;  // pid, slot, frame, generation
  void finish(Pin pin);

  std::map<Key, Pin> pins_;
  std::vector<Pin> past_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_READERS_H_
