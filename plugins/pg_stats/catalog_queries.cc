#include "plugins/pg_stats/catalog_queries.h"

#include "plugins/pg_stats/setting_remarks.h"
#include "plugins/pg_stats/sql_text.h"

namespace plumb::pg_stats {
namespace {

constexpr const char* kTableName =
    "CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END";
// What initdb made has lower numbers.
constexpr const char* kFirstOwn = "16384";
constexpr const char* kOwnSchemas =
    "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'";

}  // namespace

std::string tables_query() {
  // The functions below the view pg_stat_user_tables, names only of what was used: a third of the
  // view's cost.
  const std::string first = kFirstOwn;
  return "SELECT /* plumb */ c.oid, " + std::string(kTableName) +
         " AS name, pg_stat_get_numscans(c.oid) AS seq_scans, c.seq_tuples,"
         " coalesce(c.index_scans, 0) AS index_scans, pg_stat_get_live_tuples(c.oid) AS live,"
         " c.dead, pg_stat_get_mod_since_analyze(c.oid) AS modified,"
         " extract(epoch FROM now() - pg_stat_get_last_autovacuum_time(c.oid)) AS vacuumed_ago"
         " FROM (SELECT c.oid, c.relname, c.relnamespace, i.index_scans,"
         " pg_stat_get_tuples_returned(c.oid) AS seq_tuples, pg_stat_get_dead_tuples(c.oid) AS dead"
         " FROM pg_class c LEFT JOIN (SELECT indrelid, sum(pg_stat_get_numscans(indexrelid)) AS"
         " index_scans FROM pg_index WHERE indrelid >= " +
         first +
         " GROUP BY 1 HAVING sum(pg_stat_get_numscans(indexrelid)) > 0) i ON i.indrelid = c.oid"
         " WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.oid >= " +
         first +
         " OFFSET 0) c JOIN pg_namespace n ON n.oid = c.relnamespace"
         " WHERE c.seq_tuples > 0 OR c.index_scans > 0 OR c.dead > 0";
}

std::string table_sizes_query(std::span<const int64_t> oids) {
  return "SELECT /* plumb */ oid, pg_stat_get_live_tuples(oid) AS live,"
         " pg_table_size(oid) AS bytes FROM pg_class WHERE oid IN (" +
         number_list(oids) + ")";
}

std::string table_estimates_query(std::span<const int64_t> oids) {
  return "SELECT /* plumb */ oid, pg_stat_get_live_tuples(oid) AS live,"
         " relpages::bigint * current_setting('block_size')::int AS bytes"
         " FROM pg_class WHERE oid IN (" +
         number_list(oids) + ")";
}

std::string indexes_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ i.indexrelid AS oid, x.relname AS name, i.indrelid AS table_oid, " +
         std::string(kTableName) +
         " AS table, x.relam AS method, i.indnkeyatts AS keys, i.indkey AS key_columns,"
         " i.indoption::text || '/' || i.indclass::text || '/' || i.indcollation::text AS sort,"
         " i.indexprs::text AS expressions, i.indpred::text AS predicate, i.indisunique AS unique,"
         " i.indisprimary OR i.indisexclusion OR i.indisreplident OR i.indisclustered OR "
         "x.relispartition OR EXISTS"
         " (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) AS constrained,"
         " i.indisvalid AS valid, x.relpages::bigint * " +
         std::to_string(facts.block_size) +
         " AS bytes, pg_stat_get_numscans(i.indexrelid) AS scans"
         " FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid"
         " JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
         " WHERE i.indexrelid > $1::oid AND c.relkind IN ('r', 'm') AND " +
         kOwnSchemas + " ORDER BY i.indexrelid LIMIT $2::int";
}

std::string settings_query() {
  std::string names;
  for (const char* name : settings_worth_knowing())
    names += (names.empty() ? "" : ", ") + quoted_literal(name);
  // The sampler's own session changes some for itself: reset_val is what others get.
  return "SELECT /* plumb */ name, reset_val AS value, unit, reset_val IS NOT DISTINCT FROM "
         "boot_val"
         " AS \"default\" FROM pg_settings WHERE name IN (" +
         names + ") ORDER BY name";
}

std::string database_size_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ pg_database_size(" + std::to_string(facts.database_oid) +
         "::oid) AS bytes";
}

std::string cluster_query(const ServerFacts& facts) {
  std::string columns =
      "b.buffers_clean, b.maxwritten_clean, b.buffers_alloc,"
      " (SELECT max(age(datfrozenxid)) FROM pg_database) AS transaction_age";
  std::string from = " FROM pg_stat_bgwriter b";
  if (facts.has("pg_stat_checkpointer")) {
    columns +=
        ", c.num_timed AS checkpoints_timed, c.num_requested AS checkpoints_requested,"
        " c.write_time / 1000 AS checkpoint_write_seconds,"
        " c.sync_time / 1000 AS checkpoint_sync_seconds, c.buffers_written AS buffers_checkpoint,"
        " extract(epoch FROM c.stats_reset) AS reset_at";
    from += " CROSS JOIN pg_stat_checkpointer c";
  } else {
    columns +=
        ", b.checkpoints_timed, b.checkpoints_req AS checkpoints_requested,"
        " b.checkpoint_write_time / 1000 AS checkpoint_write_seconds,"
        " b.checkpoint_sync_time / 1000 AS checkpoint_sync_seconds, b.buffers_checkpoint,"
        " b.buffers_backend, b.buffers_backend_fsync,"
        " extract(epoch FROM b.stats_reset) AS reset_at";
  }
  return "SELECT /* plumb */ " + columns + from;
}

std::string io_query(const ServerFacts& facts) {
  // Version 18 counts bytes; before, every operation was of one size.
  const bool bytes = facts.has("pg_stat_io", "read_bytes");
  const auto moved = [&](const char* operations, const char* counted) {
    return bytes ? std::string("sum(") + counted + ")"
                 : std::string("sum(") + operations + " * op_bytes)";
  };
  std::string out = "SELECT /* plumb */ backend_type AS backend, object, context, " +
                    moved("reads", "read_bytes") + " AS read_bytes, " +
                    moved("writes", "write_bytes") + " AS written_bytes, " +
                    moved("extends", "extend_bytes") +
                    " AS extended_bytes, sum(hits) AS hits, sum(evictions) AS evictions,"
                    " sum(fsyncs) AS syncs";
  if (facts.tracks_io_time)
    out +=
        ", sum(read_time) / 1000 AS read_seconds, sum(write_time) / 1000 AS write_seconds,"
        " sum(fsync_time) / 1000 AS sync_seconds";
  return out +
         " FROM pg_stat_get_io() GROUP BY 1, 2, 3"
         " HAVING sum(reads) > 0 OR sum(writes) > 0 OR sum(extends) > 0 OR sum(fsyncs) > 0";
}

std::string vacuum_query(const ServerFacts& facts) {
  return "SELECT /* plumb */ p.relid::regclass AS table, p.phase,"
         " p.heap_blks_scanned::float8 / nullif(p.heap_blks_total, 0) AS done"
         " FROM pg_stat_progress_vacuum p WHERE p.datid = " +
         std::to_string(facts.database_oid) + " LIMIT 50";
}

std::string replication_query() {
  return "SELECT /* plumb */ application_name AS application, state,"
         " CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()"
         " ELSE pg_current_wal_lsn() END - replay_lsn AS bytes,"
         " extract(epoch FROM replay_lag) AS seconds"
         " FROM pg_stat_replication WHERE replay_lsn IS NOT NULL ORDER BY 1 LIMIT 100";
}

std::string standby_query() {
  // Who has replayed all that it has received is not behind, however long nothing has come.
  return "SELECT /* plumb */ pg_last_wal_receive_lsn() - pg_last_wal_replay_lsn() AS bytes,"
         " CASE WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0 ELSE"
         " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END AS seconds";
}

}  // namespace plumb::pg_stats
