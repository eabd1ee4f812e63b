// The SQL that is sent, made for what a server has. Every statement carries the comment
// "/* plumb */" inside, which pg_stat_statements keeps, so that the sampler's own can be told.
#ifndef PLUMB_PLUGINS_PG_STATS_QUERIES_H_
#define PLUMB_PLUGINS_PG_STATS_QUERIES_H_

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace plumb::pg_stats {

inline constexpr std::string_view kOwnMark = "/* plumb */";
inline constexpr int kOldestVersion = 120000;

// What the statements depend on.
struct ServerFacts {
  int version = 0;  // server_version_num, such as 150020
  int64_t database_oid = 0;
  int64_t max_connections = 0;
  bool in_recovery = false;
  bool reads_all_stats = false;  // the role sees other roles' sessions and statements
  bool tracks_activities = true;
  bool statements_loaded = false;            // pg_stat_statements is in shared_preload_libraries
  std::string statements_schema;             // where its extension lives; empty: not created here
  std::set<std::string> statements_columns;  // of its view: the extension may be older than the
                                             // server
  bool has_statements() const { return statements_loaded && !statements_schema.empty(); }
};

// One row with everything of ServerFacts but the columns.
std::string facts_query();
// Column names (attname) of the view pg_stat_statements.
std::string statements_columns_query(const ServerFacts& facts);

// state, wait_type, wait_event, query_id, sessions: client sessions of the database, grouped on
// the server, since that costs less there than sending them.
std::string activity_query(const ServerFacts& facts);

// One row; columns as in CounterProbe's table, those that the server has.
std::string counters_query(const ServerFacts& facts);

// pid, blockers (integer array, null unless it waits), application, state, kind, query_id, query:
// everyone who waits for a lock in the database, and everyone who is waited for.
std::string blocking_query(const ServerFacts& facts);

// query_id, calls, ms, rows, hit, read, temp, wal_bytes, summed over users. Needs has_statements().
std::string statements_query(const ServerFacts& facts);
// query_id, query of the given ids. Needs has_statements().
std::string statement_texts_query(const ServerFacts& facts, std::span<const int64_t> query_ids);

// oid, name, seq_scans, seq_tuples, index_scans of the database's own tables.
std::string tables_query();
// oid, live, bytes of the given tables; takes a lock on each for an instant.
std::string table_sizes_query(std::span<const int64_t> oids);
// The same without a lock, from the last ANALYZE or VACUUM.
std::string table_estimates_query(std::span<const int64_t> oids);

// name, value: settings worth knowing when reading a run.
std::string settings_query();

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_QUERIES_H_
