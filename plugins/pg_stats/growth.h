// What statements and tables have grown by between two readings of the server's counters, and
// which of them are worth showing.
#ifndef PLUMB_PLUGINS_PG_STATS_GROWTH_H_
#define PLUMB_PLUGINS_PG_STATS_GROWTH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace plumb::pg_stats {

// Counters of one statement, summed over users; times in milliseconds, as the server keeps them.
struct StatementCounters {
  int64_t query_id = 0;
  double calls = 0;
  double ms = 0;  // planning and executing
  double rows = 0;
  double blocks_hit = 0;
  double blocks_read = 0;
  double temp_blocks = 0;
  std::optional<double> wal_bytes;  // none below PostgreSQL 13
};

struct TableCounters {
  int64_t oid = 0;
  std::string name;  // with its schema, but for public
  double seq_scans = 0;
  double seq_tuples = 0;
  double index_scans = 0;
};

using StatementReading = std::unordered_map<int64_t, StatementCounters>;
using TableReading = std::unordered_map<int64_t, TableCounters>;

// Statements called, and tables scanned, between two readings, in no order. One whose counters
// fell (the server forgot it, or was reset) has grown by what it shows now.
std::vector<StatementCounters> statement_growth(const StatementReading& before,
                                                const StatementReading& after);
std::vector<TableCounters> table_growth(const TableReading& before, const TableReading& after);

// The `by_time` statements with most time and the `by_calls` with most calls, each once, by time;
// those that `skip` names are passed over and the next one comes in.
std::vector<StatementCounters> top_statements(std::vector<StatementCounters> growth, size_t by_time,
                                              size_t by_calls,
                                              const std::function<bool(int64_t)>& skip);

// The `most` tables with most tuples read by sequential scans, then by index scans.
std::vector<TableCounters> top_tables(std::vector<TableCounters> growth, size_t most);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_GROWTH_H_
