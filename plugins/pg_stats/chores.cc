#include "plugins/pg_stats/chores.h"

namespace plumb::pg_stats {

std::optional<Chores::Done> Chores::do_one(int64_t now_ns) {
  if (!purse_.may_spend(now_ns)) return std::nullopt;
  Entry* next = nullptr;
  for (Entry& entry : chores_)
    if (entry.due_ns <= now_ns && (next == nullptr || entry.due_ns < next->due_ns) &&
        entry.chore.wanted())
      next = &entry;
  if (next == nullptr) return std::nullopt;
  next->due_ns = now_ns + next->chore.every_ns;
  return Done{next->chore.subject, next->chore.read()};
}

}  // namespace plumb::pg_stats
