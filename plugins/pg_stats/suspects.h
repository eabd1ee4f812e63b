// Which statements read a table from end to end: told from the tables' and statements' counters and
// from the names that a statement's text holds.
#ifndef PLUMB_PLUGINS_PG_STATS_SUSPECTS_H_
#define PLUMB_PLUGINS_PG_STATS_SUSPECTS_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/pg_stats/growth.h"

namespace plumb::pg_stats {

// A table that sequential scans read many rows of, and the statements that may have done it, the
// likeliest first.
struct Suspect {
  std::string table;  // with its schema, but for public
  double rows_per_scan = 0;
  std::vector<int64_t> query_ids;
};

// The relations that a statement's text may name: each identifier, in lower case unless quoted, and
// each pair "schema.name". Literals and comments are passed over. Never fails.
std::set<std::string> names_in_statement(std::string_view sql);

// What is known of a statement for this.
struct StatementUse {
  int64_t query_id = 0;
  double calls = 0;
  double blocks = 0;  // read or found in the shared buffers
  std::set<std::string> names;
};
struct ScannedTable {
  std::string name;
  double seq_scans = 0;
  double seq_tuples = 0;
  double pages = 0;  // 0: not known
};

// The tables worth suspecting, most rows read first, at most `most`. A statement is held
// responsible when it names the table and a call of it went through at least a third of the table's
// pages.
std::vector<Suspect> find_suspects(const std::vector<ScannedTable>& tables,
                                   const std::vector<StatementUse>& statements, size_t most);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SUSPECTS_H_
