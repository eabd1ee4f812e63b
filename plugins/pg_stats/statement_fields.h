// What is known of a statement beside its calls, and where each version of pg_stat_statements keeps
// it: the one list from which the SQL, the table and the series follow.
#ifndef PLUMB_PLUGINS_PG_STATS_STATEMENT_FIELDS_H_
#define PLUMB_PLUGINS_PG_STATS_STATEMENT_FIELDS_H_

#include <cstddef>
#include <span>
#include <string>

#include "plugins/pg_stats/server_facts.h"

namespace plumb::pg_stats {

struct StatementField {
  const char* key;  // the column of the query and of the table pg_statements
  const char* title;
  const char* unit;    // in the table; or nullptr
  const char* series;  // "pg_statement_..._total", or nullptr: in the table only
  const char* series_unit;
  double to_series;  // factor from the table's unit to the series'
  const char* help;
};

// Those that growth reads by name.
enum StatementFieldIndex : size_t { kCalls, kMilliseconds, kRows, kBlocksHit, kBlocksRead };
inline constexpr size_t kStatementFields = 17;

std::span<const StatementField, kStatementFields> statement_fields();

// SQL over the columns that the server's pg_stat_statements has; "" where it has none for this
// field, or where the server does not measure what they are for.
std::string statement_field_source(const StatementField& field, const ServerFacts& facts);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_STATEMENT_FIELDS_H_
