// What a server has: the version, the columns of its statistics views, the settings that decide
// what they hold. Every statement that is sent, and every word about what is missing, follows from
// it.
#ifndef PLUMB_PLUGINS_PG_STATS_SERVER_FACTS_H_
#define PLUMB_PLUGINS_PG_STATS_SERVER_FACTS_H_

#include <cstdint>
#include <map>
#include <plumb/status.hpp>
#include <set>
#include <string>
#include <string_view>

#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

inline constexpr int kOldestVersion = 120000;

struct ServerFacts {
  int version = 0;  // server_version_num, such as 150020
  int64_t database_oid = 0;
  std::string database;
  std::string role;
  int64_t max_connections = 0;
  int64_t block_size = 8192;
  int64_t freeze_max_age = 0;  // autovacuum_freeze_max_age
  double started = 0;          // pg_postmaster_start_time, seconds since 1970
  // When its checkpointer was: later than `started` where the server recovered from the crash of
  // one of its processes. 0 where the role may not see it.
  double recovered = 0;
  bool in_recovery = false;
  bool reads_all_stats = false;   // the role sees other roles' sessions and statements
  bool reads_all_tables = false;  // the role may plan statements over other roles' tables
  bool tracks_activities = true;
  bool tracks_counts = true;
  bool tracks_io_time = false;
  bool tracks_wal_io_time = false;
  // Below 14 "" (there is no such setting); else "auto", "on", "off", "regress".
  std::string compute_query_id;
  bool plain_strings_escape = false;  // standard_conforming_strings is off
  bool statements_loaded = false;     // pg_stat_statements is in shared_preload_libraries
  std::string statements_schema;      // where its extension lives; empty: not created here
  std::string statements_track;       // "top", "all", "none"; "" when not loaded
  bool tracks_planning = false;

  // Columns by view. The extension's are those of its own version, which may be older than the
  // server.
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> columns;

  int major() const { return version / 10000; }
  bool has(std::string_view view) const { return columns.contains(view); }
  bool has(std::string_view view, std::string_view column) const {
    const auto found = columns.find(view);
    return found != columns.end() && found->second.contains(column);
  }
  // What `now`, learned later of the same server, says of pg_stat_statements; whether that is news.
  bool take_statements_from(const ServerFacts& now);
  bool has_statements() const { return statements_loaded && !statements_schema.empty(); }
  bool has_query_ids() const { return has("pg_stat_activity", "query_id"); }
};

// One row with everything of ServerFacts but the columns.
std::string facts_query();
// view, column: the columns of the statistics views that the statements depend on.
std::string columns_query(const ServerFacts& facts);

// Asks the server. UNSUPPORTED when it is too old.
Result<ServerFacts> learn_facts(Session& session);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SERVER_FACTS_H_
