// Readings that are due now and then and cost the server milliseconds: one at a time, paced by what
// they turn out to cost.
#ifndef PLUMB_PLUGINS_PG_STATS_CHORES_H_
#define PLUMB_PLUGINS_PG_STATS_CHORES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <utility>
#include <vector>

#include "plugins/pg_stats/sampling_pace.h"

namespace plumb::pg_stats {

// Not thread-safe.
class Chores {
 public:
  // `share` of one processor for all of them together.
  explicit Chores(double share) : purse_(share) {}

  struct Chore {
    const char* subject;
    int64_t every_ns;
    std::function<bool()> wanted;  // whether there is something to read now
    std::function<Status()> read;
  };
  void add(Chore chore) { chores_.push_back({std::move(chore), 0}); }

  struct Done {
    const char* subject;
    Status status;
  };
  // Does what is longest overdue, if anything is and what was spent so far allows it.
  std::optional<Done> do_one(int64_t now_ns);
  // Everything is due at once, one a call as ever: what was read before is of another server.
  void hurry() {
    for (Entry& entry : chores_) entry.due_ns = 0;
  }
  // What readings, of do_one or beside it, have cost the server.
  void charge(int64_t now_ns, double seconds) { purse_.spend(now_ns, seconds); }
  // Share of one processor that they take.
  double taken(int64_t now_ns) { return purse_.taken(now_ns); }

 private:
  struct Entry {
    Chore chore;
    int64_t due_ns;
  };
  ReadingPurse purse_;
  std::vector<Entry> chores_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_CHORES_H_
