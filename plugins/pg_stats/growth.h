// What statements and tables have grown by between two readings of the server's counters, and
// which of them are worth showing.
#ifndef PLUMB_PLUGINS_PG_STATS_GROWTH_H_
#define PLUMB_PLUGINS_PG_STATS_GROWTH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/pg_stats/statement_fields.h"

namespace plumb::pg_stats {

// Counters of one statement, summed over users, in the order of statement_fields(). A field that
// the server does not have is none, never zero.
struct StatementCounters {
  int64_t query_id = 0;
  std::array<std::optional<double>, kStatementFields> fields = {};
  double calls() const { return fields[kCalls].value_or(0); }
  double ms() const { return fields[kMilliseconds].value_or(0); }  // planning and executing
  double blocks() const { return fields[kBlocksHit].value_or(0) + fields[kBlocksRead].value_or(0); }
};

struct TableCounters {
  int64_t oid = 0;
  std::string name;  // with its schema, but for public
  double seq_scans = 0;
  double seq_tuples = 0;
  double index_scans = 0;
  // As they are now, not as they grew.
  double live = 0;
  double dead = 0;
  double modified = 0;                      // rows, since the last ANALYZE
  std::optional<double> vacuumed_ago = {};  // seconds since autovacuum was last there
};

using StatementReading = std::unordered_map<int64_t, StatementCounters>;
using TableReading = std::unordered_map<int64_t, TableCounters>;

// Statements called, and tables scanned, between two readings, in no order. One whose counters
// fell (the server forgot it, or was reset) has grown by what it shows now.
std::vector<StatementCounters> statement_growth(const StatementReading& before,
                                                const StatementReading& after);
std::vector<TableCounters> table_growth(const TableReading& before, const TableReading& after);

// Adds `more` to what grew, by query id and by oid.
void add_growth(std::vector<StatementCounters>& growth, const std::vector<StatementCounters>& more);
void add_growth(std::vector<TableCounters>& growth, const std::vector<TableCounters>& more);

// The `by_time` statements with most time and the `by_calls` with most calls, each once, by time;
// those that `skip` names are passed over and the next one comes in.
std::vector<StatementCounters> top_statements(std::vector<StatementCounters> growth, size_t by_time,
                                              size_t by_calls,
                                              const std::function<bool(int64_t)>& skip);

// The `most` tables with most dead rows, of those that have some.
std::vector<TableCounters> most_dead(const TableReading& now, size_t most);

// The `most` tables with most tuples read by sequential scans, then by index scans.
std::vector<TableCounters> top_tables(std::vector<TableCounters> growth, size_t most);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_GROWTH_H_
