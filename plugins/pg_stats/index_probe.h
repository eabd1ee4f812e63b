// Once per run, a page of the catalog at a time: indexes that nobody needs.
#ifndef PLUMB_PLUGINS_PG_STATS_INDEX_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_INDEX_PROBE_H_

#include <cstdint>
#include <plumb/plugin.hpp>
#include <vector>

#include "plugins/pg_stats/index_findings.h"
#include "plugins/pg_stats/server_facts.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

// Not thread-safe.
class IndexProbe {
 public:
  explicit IndexProbe(Host host) : host_(host) {}
  bool done() const { return done_; }
  // Reads the next page; after the last one emits the table pg_indexes.
  Status step(Session& session, const ServerFacts& facts);

 private:
  Host host_;
  bool done_ = false;
  int64_t last_oid_ = 0;
  std::vector<IndexEntry> indexes_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_INDEX_PROBE_H_
