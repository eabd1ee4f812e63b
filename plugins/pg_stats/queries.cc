#include "plugins/pg_stats/queries.h"

#include "plugins/pg_stats/sql_text.h"
#include "plugins/pg_stats/statement_fields.h"

namespace plumb::pg_stats {
namespace {

// The sessions of people's programs in the database. A role without pg_read_all_stats sees
// backend_type as null where the session is another role's: it is counted, though not classified.
std::string in_database(const ServerFacts& facts) {
  return "a.datid = " + std::to_string(facts.database_oid) +
         " AND a.pid <> pg_backend_pid() AND a.application_name IS DISTINCT FROM 'plumb'";
}

std::string query_id(const ServerFacts& facts) {
  return facts.has_query_ids() ? "a.query_id" : "NULL::bigint";
}

// Negative when the server's clock was put back.
std::string seconds_since(const std::string& time) {
  return "extract(epoch FROM clock_timestamp() - " + time + ")";
}

std::string database_columns(const ServerFacts& facts) {
  std::string out =
      "d.xact_commit AS commits, d.xact_rollback AS rollbacks, d.deadlocks, d.conflicts,"
      " d.blks_hit AS blocks_hit, d.blks_read AS blocks_read, d.temp_files, d.temp_bytes,"
      " d.tup_returned AS tuples_returned, d.tup_fetched AS tuples_fetched,"
      " d.tup_inserted + d.tup_updated + d.tup_deleted AS tuples_written,"
      " extract(epoch FROM d.stats_reset) AS reset_at,"
      " extract(epoch FROM clock_timestamp()) AS server_clock, pg_is_in_recovery() AS in_recovery";
  if (facts.tracks_io_time)
    out += ", d.blk_read_time / 1000 AS read_seconds, d.blk_write_time / 1000 AS write_seconds";
  if (facts.has("pg_stat_database", "active_time"))
    out +=
        ", d.active_time / 1000 AS active_seconds,"
        " d.idle_in_transaction_time / 1000 AS idle_in_transaction_seconds, d.sessions,"
        " d.sessions_abandoned + d.sessions_fatal + d.sessions_killed AS sessions_broken";
  return out;
}

std::string session_columns(const ServerFacts& facts) {
  const std::string client =
      "a.mine AND (a.backend_type = 'client backend' OR a.backend_type IS NULL)";
  return " count(*) FILTER (WHERE " + client +
         ") AS clients,"
         " array_agg(a.pid) FILTER (WHERE a.mine AND a.backend_type IN ('client backend',"
         " 'parallel worker')) AS pids,"
         " count(*) FILTER (WHERE a.backend_type IS NULL OR a.backend_type IN ('client backend',"
         " 'walsender')) AS all_connections,"
         " count(*) FILTER (WHERE a.backend_type = 'autovacuum worker') AS autovacuum_workers,"
         " coalesce(" +
         seconds_since("min(a.xact_start) FILTER (WHERE " + client + ")") +
         ", 0) AS longest_transaction,"
         " coalesce(" +
         seconds_since("min(a.state_change) FILTER (WHERE " + client +
                       " AND a.state LIKE 'idle in transaction%')") +
         ", 0) AS longest_idle_in_transaction,"
         " count(*) FILTER (WHERE a.datid = " +
         std::to_string(facts.database_oid) + " AND a.xact_start IS NULL AND NOT (" + client +
         ")) AS idle_others"
         " FROM (SELECT a.*, " +
         in_database(facts) + " AS mine FROM pg_stat_get_activity(NULL) a) a";
}

}  // namespace

std::string modest_session_query() {
  return "SELECT /* plumb */ set_config('work_mem', '1MB', false), set_config('jit', 'off', false),"
         " set_config('max_parallel_workers_per_gather', '0', false),"
         " set_config('plan_cache_mode', 'force_generic_plan', false),"
         // From 15 on: nothing is read twice in a transaction, so a copy of each entry is waste.
         " CASE WHEN current_setting('stats_fetch_consistency', true) IS NOT NULL THEN"
         " set_config('stats_fetch_consistency', 'none', false) END,"
         // Such a server knows nothing of encodings, and would refuse to tell a name that is no
         // UTF-8 to a client who says that it speaks it.
         " CASE WHEN current_setting('server_encoding') = 'SQL_ASCII' THEN"
         " set_config('client_encoding', 'SQL_ASCII', false) END";
}

std::string activity_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ a.state, a.wait_event_type AS wait_type, a.wait_event,"
         " CASE WHEN a.state = 'active' THEN " +
         query_id(facts) +
         " END AS query_id, CASE WHEN a.state <> 'idle' THEN a.client_addr END AS client,"
         " count(*) AS sessions, NULL AS idle FROM pg_stat_get_activity(NULL) a WHERE " +
         in_database(facts) + " AND a.backend_type = 'client backend' GROUP BY 1, 2, 3, 4, 5";
}

std::string few_busy_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ a.state, a.wait_event_type AS wait_type, a.wait_event, " +
         query_id(facts) +
         " AS query_id, a.client_addr AS client, 1 AS sessions, b.idle FROM"
         " (SELECT count(*) FILTER (WHERE t.xact_start IS NULL) AS idle,"
         " array_agg(pg_stat_get_backend_pid(t.id)) FILTER (WHERE t.xact_start IS NOT NULL) AS busy"
         " FROM (SELECT id, pg_stat_get_backend_xact_start(id) AS xact_start"
         " FROM pg_stat_get_backend_idset() AS id WHERE pg_stat_get_backend_dbid(id) = " +
         std::to_string(facts.database_oid) +
         " OFFSET 0) t) b LEFT JOIN LATERAL (SELECT a.* FROM unnest(b.busy) AS pid,"
         " LATERAL pg_stat_get_activity(pid) a WHERE " +
         in_database(facts) + " AND a.backend_type = 'client backend') a ON true";
}

std::string counters_query(const ServerFacts& facts) {
  std::string columns = database_columns(facts) + ", a.*";
  std::string from = " FROM pg_stat_database d CROSS JOIN (SELECT" + session_columns(facts) + ") a";
  if (facts.has("pg_stat_wal")) {
    columns += ", w.wal_bytes, w.wal_records, w.wal_fpi, w.wal_buffers_full";
    from += " CROSS JOIN pg_stat_get_wal() w";
    if (facts.has("pg_stat_wal", "wal_sync")) {
      columns += ", w.wal_sync AS wal_syncs";
      if (facts.tracks_wal_io_time)
        columns +=
            ", w.wal_sync_time / 1000 AS wal_sync_seconds,"
            " w.wal_write_time / 1000 AS wal_write_seconds";
    } else if (facts.has("pg_stat_io")) {
      columns += ", f.wal_syncs";
      if (facts.tracks_wal_io_time) columns += ", f.wal_sync_seconds, f.wal_write_seconds";
      from +=
          " CROSS JOIN (SELECT sum(fsyncs) AS wal_syncs, sum(fsync_time) / 1000 AS"
          " wal_sync_seconds, sum(write_time) / 1000 AS wal_write_seconds FROM pg_stat_get_io()"
          " WHERE object = 'wal') f";
    }
  } else if (!facts.in_recovery) {
    columns += ", pg_current_wal_lsn() - '0/0'::pg_lsn AS wal_bytes";
  }
  return "SELECT /* plumb */ " + columns + from +
         " WHERE d.datid = " + std::to_string(facts.database_oid);
}

std::string connections_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ a.application_name AS application, coalesce(a.state, 'hidden') AS"
         " state, count(*) AS sessions, " +
         seconds_since("min(a.backend_start)") + " AS connection, " +
         seconds_since("min(a.xact_start)") + " AS transaction, " +
         seconds_since("min(a.state_change)") +
         " AS in_state FROM pg_stat_get_activity(NULL) a WHERE " + in_database(facts) +
         " AND (a.backend_type = 'client backend' OR a.backend_type IS NULL)"
         " GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 200";
}

std::string blocking_query(const ServerFacts& facts) {
  const std::string database = std::to_string(facts.database_oid);
  // Who waits for a row waits for the transaction that holds it. The table is named by the tuple
  // lock that a waiter may have got first, or by its being the only one that it writes to.
  const std::string writes =
      "l.locktype = 'relation' AND l.mode IN ('RowExclusiveLock', 'RowShareLock')";
  const std::string written = " FILTER (WHERE l.granted AND " + writes + " AND c.oid IS NOT NULL)";
  return "WITH /* plumb */ a AS MATERIALIZED (SELECT a.pid, a.datid, a.application_name AS"
         " application, a.state, a.backend_type AS kind, a.wait_event_type, " +
         query_id(facts) +
         " AS query_id, a.query, a.client_addr AS client, a.client_port AS port"
         " FROM pg_stat_get_activity(NULL) a),"
         " w AS MATERIALIZED (SELECT pid, pg_blocking_pids(pid) AS blockers FROM a"
         " WHERE datid = " +
         database +
         " AND wait_event_type = 'Lock'),"
         " l AS MATERIALIZED (SELECT l.pid, max(l.mode) FILTER (WHERE NOT l.granted) AS lock,"
         " coalesce(max(l.relation) FILTER (WHERE l.database = " +
         database +
         " AND (NOT l.granted OR l.locktype = 'tuple')), CASE WHEN count(DISTINCT l.relation)" +
         written + " = 1 THEN max(l.relation)" + written +
         " END) AS relation FROM pg_lock_status() l"
         " LEFT JOIN pg_class c ON c.oid = l.relation AND l.database = " +
         database +
         " AND c.relkind IN ('r', 'p') WHERE l.pid IN (SELECT pid FROM w) AND (NOT l.granted OR"
         " l.locktype = 'tuple' OR (" +
         writes +
         ")) GROUP BY 1)"
         " SELECT a.pid, w.blockers, a.application, a.state, a.kind, a.query_id, a.query, a.client,"
         " a.port, l.lock, l.relation::regclass AS relation"
         " FROM a LEFT JOIN w ON w.pid = a.pid LEFT JOIN l ON l.pid = w.pid"
         " WHERE w.pid IS NOT NULL OR a.pid IN (SELECT unnest(blockers) FROM w)";
}

std::string statements_query(const ServerFacts& facts) {
  std::string sums;
  for (const StatementField& field : statement_fields())
    if (const std::string source = statement_field_source(field, facts); !source.empty())
      sums += ", sum(" + source + ") AS " + field.key;
  // A statement inside a function is part of the one that called it, and would count twice.
  const std::string top = facts.has("pg_stat_statements", "toplevel") ? " AND toplevel" : "";
  return "SELECT /* plumb */ queryid AS query_id" + sums + " FROM " +
         quoted_identifier(facts.statements_schema) +
         ".pg_stat_statements(false) WHERE queryid IS NOT NULL AND dbid = " +
         std::to_string(facts.database_oid) + top + " GROUP BY queryid";
}

std::string statement_texts_query(const ServerFacts& facts, std::span<const int64_t> query_ids) {
  return "SELECT /* plumb */ DISTINCT ON (queryid) queryid AS query_id, query FROM " +
         quoted_identifier(facts.statements_schema) +
         ".pg_stat_statements(true) WHERE dbid = " + std::to_string(facts.database_oid) +
         " AND queryid IN (" + number_list(query_ids) + ") ORDER BY queryid, calls DESC";
}

std::string statements_info_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ dealloc, extract(epoch FROM stats_reset) AS reset_at FROM " +
         quoted_identifier(facts.statements_schema) + ".pg_stat_statements_info";
}

}  // namespace plumb::pg_stats
