// For tests: what servers of each version offer, as their documentation lists it.
#ifndef PLUMB_PLUGINS_PG_STATS_SERVER_VERSIONS_H_
#define PLUMB_PLUGINS_PG_STATS_SERVER_VERSIONS_H_

#include "plugins/pg_stats/server_facts.h"

namespace plumb::pg_stats {

// A server of `major` with the pg_stat_statements that came with it, everything switched on.
inline ServerFacts server_of_version(int major) {
  using Names = std::set<std::string, std::less<>>;
  ServerFacts facts;
  facts.version = major * 10000 + 2;
  facts.database_oid = 16384;
  facts.database = "shop";
  facts.role = "plumb";
  facts.max_connections = 100;
  facts.freeze_max_age = 200'000'000;
  facts.reads_all_stats = facts.reads_all_tables = true;
  facts.tracks_io_time = facts.tracks_planning = true;
  facts.tracks_wal_io_time = major >= 14;
  if (major >= 14) facts.compute_query_id = "auto";
  facts.statements_loaded = true;
  facts.statements_schema = "public";
  facts.statements_track = "top";

  Names& activity = facts.columns["pg_stat_activity"] = {"pid", "state", "client_addr", "query"};
  Names& database = facts.columns["pg_stat_database"] = {"datid", "blk_read_time", "stats_reset"};
  Names& writer = facts.columns["pg_stat_bgwriter"] = {"buffers_clean", "buffers_alloc"};
  Names& statements = facts.columns["pg_stat_statements"] = {"queryid", "calls", "rows"};
  facts.columns["pg_stat_replication"] = {"application_name", "replay_lag"};
  if (major >= 13) {
    statements.insert(
        {"total_exec_time", "total_plan_time", "wal_records", "wal_fpi", "wal_bytes"});
  } else {
    statements.insert("total_time");
  }
  if (major >= 14) {
    activity.insert("query_id");
    database.insert({"active_time", "session_time", "idle_in_transaction_time", "sessions"});
    statements.insert("toplevel");
    facts.columns["pg_stat_statements_info"] = {"dealloc", "stats_reset"};
    facts.columns["pg_stat_wal"] = {"wal_records", "wal_fpi", "wal_bytes", "wal_buffers_full"};
    if (major < 18)
      facts.columns["pg_stat_wal"].insert(
          {"wal_write", "wal_sync", "wal_write_time", "wal_sync_time"});
  }
  if (major >= 15)
    statements.insert({"temp_blk_read_time", "temp_blk_write_time", "jit_functions",
                       "jit_generation_time", "jit_inlining_time", "jit_optimization_time",
                       "jit_emission_time"});
  if (major >= 16) {
    Names& io = facts.columns["pg_stat_io"] = {"backend_type", "object",  "context", "reads",
                                               "writes",       "extends", "fsyncs",  "read_time"};
    if (major >= 18) {
      io.insert({"read_bytes", "write_bytes", "extend_bytes"});
    } else {
      io.insert("op_bytes");
    }
  }
  if (major >= 17) {
    statements.insert({"shared_blk_read_time", "shared_blk_write_time", "local_blk_read_time",
                       "local_blk_write_time", "stats_since"});
    facts.columns["pg_stat_checkpointer"] = {"num_timed", "num_requested", "write_time"};
  } else {
    statements.insert({"blk_read_time", "blk_write_time"});
    writer.insert({"checkpoints_timed", "checkpoints_req", "buffers_backend"});
  }
  return facts;
}

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SERVER_VERSIONS_H_
