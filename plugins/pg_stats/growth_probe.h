// Around the steady stage: which statements and tables the load used, and how much.
#ifndef PLUMB_PLUGINS_PG_STATS_GROWTH_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_GROWTH_PROBE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <plumb/plugin.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/pg_stats/activity_probe.h"
#include "plugins/pg_stats/growth.h"
#include "plugins/pg_stats/queries.h"
#include "plugins/pg_stats/session.h"
#include "plugins/pg_stats/suspects.h"

namespace plumb::pg_stats {

// Reads pg_stat_statements (never resetting it) and the tables' counters at the ends of a stretch,
// and in between so that a run that is killed has its tables. These reads cost the server
// milliseconds: in between the caller paces them. Not thread-safe.
class GrowthProbe {
 public:
  // `top`: how many statements with most time are shown.
  GrowthProbe(Host host, size_t top) : host_(host), top_(top) {}

  // A stretch begins at `start_ns`; its baselines are what the next refreshes read.
  void begin(int64_t start_ns);
  bool open() const { return open_; }
  // A new connection. Where the counters are another server's, the next refreshes read baselines of
  // it, and what was shown until now is added to what grows there.
  void connected(bool same_counters);
  // Each takes its baseline when there is none yet; otherwise reads the growth so far and emits the
  // tables pg_statements, or pg_tables and pg_vacuum_debt.
  Status refresh_statements(Session& session, const ServerFacts& facts,
                            const ActivityProbe& activity);
  Status refresh_tables(Session& session);
  // Both.
  Status refresh(Session& session, const ServerFacts& facts, const ActivityProbe& activity);
  // The stretch ended at `end_ns`: emits the series of what was last read. Call refresh() before,
  // when there is a session.
  Status finish(int64_t end_ns);

  // Of what was last read: tables that are read from end to end, with the statements that do it.
  std::vector<Suspect> suspects() const;
  // By query id, redacted; "" for the sampler's own.
  const std::unordered_map<int64_t, std::string>& texts() const { return texts_; }

 private:
  std::string statement_text(int64_t query_id) const;
  Status read_statements(Session& session, const ServerFacts& facts, StatementReading& out) const;
  Status read_tables(Session& session, TableReading& out) const;
  Status choose_statements(Session& session, const ServerFacts& facts, const StatementReading& now);
  Status learn_texts(Session& session, const ServerFacts& facts,
                     const std::vector<StatementCounters>& statements);
  Status choose_tables(Session& session, const TableReading& now);
  Status watch_the_list(Session& session, const ServerFacts& facts);
  Status emit_statements_table(const ActivityProbe& activity) const;
  Status emit_tables_table() const;
  Status emit_vacuum_table(const TableReading& now) const;

  using LabelsOf = std::vector<std::pair<std::string, std::string>>;
  Status finish_statement(const StatementCounters& statement, int64_t end_ns);
  Status finish_table(const TableCounters& table, int64_t end_ns);
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
  struct ListState {
    double dropped = 0;  // pg_stat_statements_info.dealloc
    double reset_at = 0;
  };

  Host host_;
  size_t top_;
  bool open_ = false;
  bool have_statements_ = false;  // baselines
  bool have_tables_ = false;
  int64_t start_ns_ = 0;
  StatementReading statements_before_;
  TableReading tables_before_;
  std::vector<StatementCounters> statements_;  // chosen, grown since the stretch began
  std::vector<TableCounters> tables_;
  std::vector<StatementCounters> statements_elsewhere_;  // of which on another server
  std::vector<TableCounters> tables_elsewhere_;
  std::optional<ListState> list_;
  std::unordered_map<int64_t, TableSize> sizes_;
  std::unordered_map<int64_t, std::string> texts_;  // redacted; empty: the sampler's own
  std::map<std::string, Total> totals_;             // by name and labels
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_GROWTH_PROBE_H_
