// Around the steady stage: which statements and tables the load used, and how much.
#ifndef PLUMB_PLUGINS_PG_STATS_GROWTH_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_GROWTH_PROBE_H_

#include <cstdint>
#include <map>
#include <plumb/plugin.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/pg_stats/activity_probe.h"
#include "plugins/pg_stats/growth.h"
#include "plugins/pg_stats/queries.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

// Reads pg_stat_statements (never resetting it) and the tables' counters at the ends of a stretch,
// and seldom in between so that a run that is killed has its tables. These reads cost the server
// milliseconds: between() paces itself to a thousandth of one processor. Not thread-safe.
class GrowthProbe {
 public:
  // `top`: how many statements with most time are shown.
  GrowthProbe(Host host, size_t top) : host_(host), top_(top) {}

  // A stretch begins at `start_ns`; without a session its baseline is read by the next refresh.
  void begin(int64_t start_ns);
  bool open() const { return open_; }
  bool due() const { return open_ && host_.now_ns() >= next_ns_; }
  // Takes the baseline when there is none yet; otherwise reads the growth so far and emits the
  // tables pg_statements and pg_tables. What failed is in the status; the rest is done.
  Status refresh(Session& session, const ServerFacts& facts, const ActivityProbe& activity);
  // The stretch ended at `end_ns`: emits the series of what was last read. Call refresh() before,
  // when there is a session.
  Status finish(int64_t end_ns);

 private:
  Status read_statements(Session& session, const ServerFacts& facts, StatementReading& out) const;
  Status read_tables(Session& session, TableReading& out) const;
  Status choose_statements(Session& session, const ServerFacts& facts, const StatementReading& now);
  Status learn_texts(Session& session, const ServerFacts& facts,
                     const std::vector<StatementCounters>& statements);
  Status choose_tables(Session& session, const TableReading& now);
  Status emit_statements_table(const ActivityProbe& activity) const;
  Status emit_tables_table() const;

  using LabelsOf = std::vector<std::pair<std::string, std::string>>;
  Status emit_growth(const char* name, const char* unit, const char* help, const LabelsOf& labels,
                     int64_t end_ns, double growth);
  Status emit_gauge(const char* name, const char* unit, const char* help, const LabelsOf& labels,
                    int64_t end_ns, double value);

  struct TableSize {
    double live = 0;
    double bytes = 0;
  };
  struct Total {
    Series series;
    double value = 0;
  };

  Host host_;
  size_t top_;
  bool open_ = false;
  bool have_statements_ = false;  // baselines
  bool have_tables_ = false;
  int64_t start_ns_ = 0;
  int64_t next_ns_ = 0;
  StatementReading statements_before_;
  TableReading tables_before_;
  std::vector<StatementCounters> statements_;  // chosen, grown since the baseline
  std::vector<TableCounters> tables_;
  std::unordered_map<int64_t, TableSize> sizes_;
  std::unordered_map<int64_t, std::string> texts_;  // redacted; empty: the sampler's own
  std::map<std::string, Total> totals_;             // by name and labels
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_GROWTH_PROBE_H_
