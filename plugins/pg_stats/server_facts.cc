#include "plugins/pg_stats/server_facts.h"

#include "plugins/pg_stats/sql_text.h"

namespace plumb::pg_stats {

bool ServerFacts::take_statements_from(const ServerFacts& now) {
  const ServerFacts before = *this;
  statements_loaded = now.statements_loaded;
  statements_schema = now.statements_schema;
  statements_track = now.statements_track;
  tracks_planning = now.tracks_planning;
  for (const char* view : {"pg_stat_statements", "pg_stat_statements_info"}) {
    columns.erase(view);
    if (const auto found = now.columns.find(view); found != now.columns.end())
      columns.insert(*found);
  }
  return statements_loaded != before.statements_loaded ||
         statements_schema != before.statements_schema ||
         statements_track != before.statements_track || tracks_planning != before.tracks_planning ||
         columns != before.columns;
}

std::string facts_query() {
  return "SELECT /* plumb */ current_setting('server_version_num')::int AS version,"
         " d.oid AS database_oid, pg_is_in_recovery() AS in_recovery,"
         " current_setting('max_connections')::int AS max_connections,"
         " current_setting('block_size')::int AS block_size,"
         " current_setting('autovacuum_freeze_max_age')::bigint AS freeze_max_age,"
         " extract(epoch FROM pg_postmaster_start_time()) AS started,"
         " (SELECT extract(epoch FROM max(a.backend_start)) FROM pg_stat_get_activity(NULL) a"
         " WHERE a.backend_type = 'checkpointer') AS recovered,"
         " pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS reads_all_stats,"
         " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR EXISTS (SELECT 1 FROM"
         " pg_roles WHERE rolname = 'pg_read_all_data' AND pg_has_role(current_user, oid,"
         " 'USAGE')) AS reads_all_tables,"
         " current_setting('track_activities') = 'on' AS tracks_activities,"
         " current_setting('track_counts') = 'on' AS tracks_counts,"
         " current_setting('track_io_timing') = 'on' AS tracks_io_time,"
         " current_setting('track_wal_io_timing', true) = 'on' AS tracks_wal_io_time,"
         " current_setting('compute_query_id', true) AS compute_query_id,"
         " current_setting('standard_conforming_strings') = 'off' AS plain_strings_escape,"
         " current_setting('pg_stat_statements.max', true) IS NOT NULL AS statements_loaded,"
         " current_setting('pg_stat_statements.track', true) AS statements_track,"
         " coalesce(current_setting('pg_stat_statements.track_planning', true) = 'on', false) AS"
         " tracks_planning,"
         " (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
         "  WHERE e.extname = 'pg_stat_statements') AS statements_schema"
         " FROM pg_database d WHERE d.datname = current_database()";
}

std::string columns_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ c.relname AS view, a.attname AS \"column\" FROM pg_attribute a"
         " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
         " WHERE a.attnum > 0 AND NOT a.attisdropped AND ((n.nspname = 'pg_catalog' AND c.relname"
         " IN ('pg_stat_activity', 'pg_stat_database', 'pg_stat_wal', 'pg_stat_bgwriter',"
         " 'pg_stat_checkpointer', 'pg_stat_io', 'pg_stat_replication')) OR (n.nspname = " +
         quoted_literal(facts.statements_schema) +
         " AND c.relname IN ('pg_stat_statements', 'pg_stat_statements_info')))";
}

Result<ServerFacts> learn_facts(Session& session) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(facts_query()));
  if (rows.count() != 1) return Status::internal("the server does not know its own database");
  const auto flag = [&](const char* column) { return rows.boolean(0, rows.column(column)); };
  const auto whole = [&](const char* column) { return rows.integer(0, rows.column(column)); };
  const auto text = [&](const char* column) {
    return std::string(rows.text(0, rows.column(column)));
  };
  ServerFacts facts;
  facts.version = static_cast<int>(whole("version"));
  if (facts.version < kOldestVersion)
    return Status::unsupported("PostgreSQL at " + session.endpoint() + " is version " +
                               std::to_string(facts.major()) +
                               "; pg_stats reads version 12 and later");
  facts.database_oid = whole("database_oid");
  facts.database = session.database();
  facts.role = session.user();
  facts.max_connections = whole("max_connections");
  facts.block_size = whole("block_size");
  facts.freeze_max_age = whole("freeze_max_age");
  facts.started = rows.number(0, rows.column("started"));
  facts.recovered = rows.number(0, rows.column("recovered"));
  facts.in_recovery = flag("in_recovery");
  facts.reads_all_stats = flag("reads_all_stats");
  facts.reads_all_tables = flag("reads_all_tables");
  facts.tracks_activities = flag("tracks_activities");
  facts.tracks_counts = flag("tracks_counts");
  facts.tracks_io_time = flag("tracks_io_time");
  facts.tracks_wal_io_time = flag("tracks_wal_io_time");
  facts.compute_query_id = text("compute_query_id");
  facts.plain_strings_escape = flag("plain_strings_escape");
  facts.statements_loaded = flag("statements_loaded");
  facts.statements_track = text("statements_track");
  facts.tracks_planning = flag("tracks_planning");
  facts.statements_schema = text("statements_schema");
  PLUMB_ASSIGN_OR_RETURN(const Rows names, session.query(columns_query(facts)));
  for (int r = 0; r < names.count(); ++r)
    facts.columns[std::string(names.text(r, 0))].emplace(names.text(r, 1));
  return facts;
}

}  // namespace plumb::pg_stats
