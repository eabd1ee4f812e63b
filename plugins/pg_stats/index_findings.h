// Which indexes nobody needs, told from the catalog and from how often they were scanned.
#ifndef PLUMB_PLUGINS_PG_STATS_INDEX_FINDINGS_H_
#define PLUMB_PLUGINS_PG_STATS_INDEX_FINDINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plumb::pg_stats {

struct IndexEntry {
  int64_t oid = 0;
  std::string name;
  int64_t table_oid = 0;
  std::string table;
  int64_t method = 0;
  size_t keys = 0;                // key columns; what is beyond is only included
  std::vector<int> columns;       // key columns, then included ones; 0 is an expression
  std::vector<std::string> sort;  // of each key column: order, operator class, collation
  std::string expressions;
  std::string predicate;
  bool unique = false;
  bool constrained = false;  // primary key, exclusion, a constraint's, replica identity, clustered
  bool valid = true;
  double bytes = 0;
  double scans = 0;
};

struct IndexFinding {
  std::string index;
  std::string table;
  double bytes = 0;
  double scans = 0;
  std::string finding;  // "unused", "duplicate of X", "redundant prefix of X", "invalid"
};

// Largest first, one line per index. An index that keeps a promise (unique, primary, a
// constraint's) is never unused, and is redundant to nothing; of two equal ones it is the one that
// stays.
std::vector<IndexFinding> find_needless_indexes(const std::vector<IndexEntry>& indexes);

// "0 0 3/1978 1994 1978/0 100 0": options, operator classes and collations, as the catalog keeps
// them, by key column. Empty when they do not belong together.
std::vector<std::string> sort_of_columns(const std::string& catalog, size_t keys);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_INDEX_FINDINGS_H_
