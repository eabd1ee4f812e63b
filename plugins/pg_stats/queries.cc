#include "plugins/pg_stats/queries.h"

namespace plumb::pg_stats {
namespace {

constexpr int kVersion14 = 140000;
constexpr int kVersion18 = 180000;

std::string quoted_identifier(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

std::string list(std::span<const int64_t> values) {
  std::string out;
  for (const int64_t v : values) {
    if (!out.empty()) out += ',';
    out += std::to_string(v);
  }
  return out.empty() ? "NULL" : out;
}

// Client sessions of the database but the sampler's, and the workers that help them. A role without
// pg_read_all_stats sees backend_type as null where the session is another role's: it is counted,
// though not classified.
std::string clients(const ServerFacts& facts, bool with_workers) {
  return "a.datid = " + std::to_string(facts.database_oid) +
         (with_workers ? " AND (a.backend_type IN ('client backend', 'parallel worker')"
                         " OR a.backend_type IS NULL)"
                       : " AND a.backend_type = 'client backend'") +
         " AND a.pid <> pg_backend_pid() AND a.application_name IS DISTINCT FROM 'plumb'";
}

std::string query_id(const ServerFacts& facts) {
  return facts.version >= kVersion14 ? "a.query_id" : "NULL::bigint";
}

}  // namespace

std::string facts_query() {
  return "SELECT /* plumb */ current_setting('server_version_num')::int AS version,"
         " d.oid AS database_oid, pg_is_in_recovery() AS in_recovery,"
         " current_setting('max_connections')::int AS max_connections,"
         " pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS reads_all_stats,"
         " current_setting('track_activities') = 'on' AS tracks_activities,"
         " current_setting('pg_stat_statements.max', true) IS NOT NULL AS statements_loaded,"
         " (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
         "  WHERE e.extname = 'pg_stat_statements') AS statements_schema"
         " FROM pg_database d WHERE d.datname = current_database()";
}

std::string statements_columns_query(const ServerFacts& facts) {
  std::string literal;
  for (const char c : quoted_identifier(facts.statements_schema)) {
    literal += c;
    if (c == '\'') literal += c;
  }
  return "SELECT /* plumb */ attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
         " AND attrelid = '" +
         literal + ".pg_stat_statements'::regclass";
}

std::string activity_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ a.state, a.wait_event_type AS wait_type, a.wait_event,"
         " CASE WHEN a.state = 'active' THEN " +
         query_id(facts) +
         " END AS query_id,"
         " count(*) AS sessions FROM pg_stat_get_activity(NULL) a WHERE " +
         clients(facts, false) + " GROUP BY 1, 2, 3, 4";
}

std::string counters_query(const ServerFacts& facts) {
  std::string columns =
      "d.xact_commit AS commits, d.xact_rollback AS rollbacks, d.deadlocks,"
      " d.blks_hit AS blocks_hit, d.blks_read AS blocks_read, d.temp_bytes,"
      " d.tup_returned AS tuples_returned, d.tup_fetched AS tuples_fetched,"
      " a.clients, a.pids";
  if (facts.version >= kVersion14) {
    columns +=
        ", d.active_time / 1000 AS active_seconds,"
        " d.idle_in_transaction_time / 1000 AS idle_in_transaction_seconds,"
        " d.sessions";
  }
  std::string from =
      " FROM pg_stat_database d CROSS JOIN (SELECT count(*) FILTER"
      " (WHERE a.backend_type IS DISTINCT FROM 'parallel worker') AS clients,"
      " array_agg(a.pid) FILTER (WHERE a.backend_type IS NOT NULL) AS pids"
      " FROM pg_stat_get_activity(NULL) a WHERE " +
      clients(facts, true) + ") a";
  if (facts.version >= kVersion18) {
    columns += ", w.wal_bytes, f.wal_syncs";
    from +=
        " CROSS JOIN pg_stat_get_wal() w CROSS JOIN (SELECT sum(fsyncs) AS wal_syncs"
        " FROM pg_stat_get_io() WHERE object = 'wal') f";
  } else if (facts.version >= kVersion14) {
    columns += ", w.wal_bytes, w.wal_sync AS wal_syncs";
    from += " CROSS JOIN pg_stat_get_wal() w";
  } else if (!facts.in_recovery) {
    columns += ", pg_current_wal_lsn() - '0/0'::pg_lsn AS wal_bytes";
  }
  return "SELECT /* plumb */ " + columns + from +
         " WHERE d.datid = " + std::to_string(facts.database_oid);
}

std::string blocking_query(const ServerFacts& facts) {
  return "WITH /* plumb */ a AS MATERIALIZED (SELECT a.pid, a.datid, a.application_name AS"
         " application, a.state, a.backend_type AS kind, a.wait_event_type, " +
         query_id(facts) +
         " AS query_id, a.query FROM pg_stat_get_activity(NULL) a),"
         " w AS MATERIALIZED (SELECT pid, pg_blocking_pids(pid) AS blockers FROM a"
         " WHERE datid = " +
         std::to_string(facts.database_oid) +
         " AND wait_event_type = 'Lock')"
         " SELECT a.pid, w.blockers, a.application, a.state, a.kind, a.query_id, a.query"
         " FROM a LEFT JOIN w ON w.pid = a.pid WHERE w.pid IS NOT NULL"
         " OR a.pid IN (SELECT unnest(blockers) FROM w)";
}

std::string statements_query(const ServerFacts& facts) {
  const auto has = [&](const char* column) { return facts.statements_columns.contains(column); };
  std::string ms = has("total_exec_time") ? "total_exec_time" : "total_time";
  if (has("total_plan_time")) ms += " + total_plan_time";
  const std::string wal = has("wal_bytes") ? "sum(wal_bytes)" : "NULL::numeric";
  // A statement inside a function is part of the one that called it, and would count twice.
  const std::string top = has("toplevel") ? " AND toplevel" : "";
  return "SELECT /* plumb */ queryid AS query_id, sum(calls) AS calls, sum(" + ms +
         ") AS ms,"
         " sum(rows) AS rows, sum(shared_blks_hit) AS hit, sum(shared_blks_read) AS read,"
         " sum(temp_blks_read + temp_blks_written) AS temp, " +
         wal + " AS wal_bytes FROM " + quoted_identifier(facts.statements_schema) +
         ".pg_stat_statements(false) WHERE queryid IS NOT NULL AND dbid = " +
         std::to_string(facts.database_oid) + top + " GROUP BY queryid";
}

std::string statement_texts_query(const ServerFacts& facts, std::span<const int64_t> query_ids) {
  return "SELECT /* plumb */ DISTINCT ON (queryid) queryid AS query_id, query FROM " +
         quoted_identifier(facts.statements_schema) +
         ".pg_stat_statements(true) WHERE dbid = " + std::to_string(facts.database_oid) +
         " AND queryid IN (" + list(query_ids) + ") ORDER BY queryid, calls DESC";
}

std::string tables_query() {
  return "SELECT /* plumb */ c.oid, CASE WHEN n.nspname = 'public' THEN c.relname::text"
         " ELSE n.nspname || '.' || c.relname END AS name,"
         " pg_stat_get_numscans(c.oid) AS seq_scans,"
         " pg_stat_get_tuples_returned(c.oid) AS seq_tuples, i.index_scans"
         " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
         " LEFT JOIN (SELECT indrelid, sum(pg_stat_get_numscans(indexrelid)) AS index_scans"
         " FROM pg_index GROUP BY 1) i ON i.indrelid = c.oid"
         " WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog',"
         " 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'";
}

std::string table_sizes_query(std::span<const int64_t> oids) {
  return "SELECT /* plumb */ oid, pg_stat_get_live_tuples(oid) AS live,"
         " pg_table_size(oid) AS bytes FROM pg_class WHERE oid IN (" +
         list(oids) + ")";
}

std::string table_estimates_query(std::span<const int64_t> oids) {
  return "SELECT /* plumb */ oid, pg_stat_get_live_tuples(oid) AS live,"
         " relpages::bigint * current_setting('block_size')::int AS bytes"
         " FROM pg_class WHERE oid IN (" +
         list(oids) + ")";
}

std::string settings_query() {
  // Only what the sampler's own session does not set differently for itself.
  return "SELECT /* plumb */ name, current_setting(name) AS value FROM pg_settings WHERE name IN"
         " ('server_version', 'max_connections', 'superuser_reserved_connections',"
         " 'shared_buffers', 'effective_cache_size', 'synchronous_commit', 'fsync',"
         " 'full_page_writes', 'wal_level', 'wal_sync_method', 'wal_buffers', 'max_wal_size',"
         " 'checkpoint_timeout', 'commit_delay', 'random_page_cost', 'seq_page_cost',"
         " 'effective_io_concurrency', 'default_transaction_isolation', 'deadlock_timeout',"
         " 'autovacuum', 'track_io_timing', 'track_activity_query_size', 'compute_query_id',"
         " 'pg_stat_statements.max', 'pg_stat_statements.track') ORDER BY name";
}

}  // namespace plumb::pg_stats
