#include "plugins/pg_stats/cluster_probe.h"

#include <algorithm>
#include <map>
#include <utility>

#include "plugins/pg_stats/catalog_queries.h"
#include "plugins/pg_stats/queries.h"
#include "plugins/pg_stats/statement_text.h"
#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

constexpr size_t kMostFollowers = 20;
constexpr size_t kMostIoKinds = 60;

struct ClusterColumn {
  const char* column;
  SeriesBoard::Meaning meaning;
};

constexpr ClusterColumn kBackground[] = {
    {"checkpoints_timed",
     {"pg_checkpoints_timed_total", "checkpoints", PLUMB_PART_NONE,
      "Checkpoints begun since it was time"}},
    {"checkpoints_requested",
     {"pg_checkpoints_requested_total", "checkpoints", PLUMB_PART_SATURATION,
      "Checkpoints begun before their time, most often since max_wal_size was reached"}},
    {"checkpoint_write_seconds",
     {"pg_checkpoint_write_seconds_total", "seconds", PLUMB_PART_BUSY,
      "Time that checkpoints spent writing, pauses included"}},
    {"checkpoint_sync_seconds",
     {"pg_checkpoint_sync_seconds_total", "seconds", PLUMB_PART_BUSY,
      "Time that checkpoints spent syncing files"}},
    {"buffers_checkpoint",
     {"pg_buffers_checkpoint_total", "blocks", PLUMB_PART_NONE, "Blocks written by checkpoints"}},
    {"buffers_clean",
     {"pg_buffers_cleaned_total", "blocks", PLUMB_PART_NONE,
      "Blocks written by the background writer"}},
    {"maxwritten_clean",
     {"pg_background_writer_stops_total", "1", PLUMB_PART_SATURATION,
      "Times that the background writer stopped, having written as much as it may"}},
    {"buffers_backend",
     {"pg_buffers_backend_total", "blocks", PLUMB_PART_SATURATION,
      "Blocks that backends had to write themselves"}},
    {"buffers_backend_fsync",
     {"pg_buffers_backend_syncs_total", "1", PLUMB_PART_SATURATION,
      "Times that a backend had to sync a file itself"}},
    {"buffers_alloc",
     {"pg_buffers_allocated_total", "blocks", PLUMB_PART_NONE, "Shared buffers given out"}},
};

constexpr ClusterColumn kIo[] = {
    {"read_bytes", {"pg_io_read_bytes_total", "bytes", PLUMB_PART_NONE, "Bytes read"}},
    {"written_bytes", {"pg_io_written_bytes_total", "bytes", PLUMB_PART_NONE, "Bytes written"}},
    {"extended_bytes",
     {"pg_io_extended_bytes_total", "bytes", PLUMB_PART_NONE, "Bytes that files were extended by"}},
    {"hits", {"pg_io_hits_total", "blocks", PLUMB_PART_NONE, "Blocks found in buffers"}},
    {"evictions",
     {"pg_io_evictions_total", "blocks", PLUMB_PART_NONE, "Blocks put out of buffers for others"}},
    {"syncs", {"pg_io_syncs_total", "1", PLUMB_PART_NONE, "Syncs of files"}},
    {"read_seconds",
     {"pg_io_kind_read_seconds_total", "seconds", PLUMB_PART_WAIT, "Time spent reading"}},
    {"write_seconds",
     {"pg_io_kind_write_seconds_total", "seconds", PLUMB_PART_WAIT, "Time spent writing"}},
    {"sync_seconds",
     {"pg_io_kind_sync_seconds_total", "seconds", PLUMB_PART_WAIT, "Time spent syncing files"}},
};

}  // namespace

std::string ClusterProbe::bounded(std::set<std::string>& known, std::string wanted) const {
  const size_t most = &known == &followers_ ? kMostFollowers : kMostIoKinds;
  if (known.size() >= most && !known.contains(wanted)) return "other";
  known.insert(wanted);
  return wanted;
}

void ClusterProbe::connected(bool same_counters) {
  // Statistics lost in a crash are nobody's reset.
  background_reset_at_ = -1;
  if (!same_counters) board_.restart();
}

Status ClusterProbe::read_background(Session& session, const ServerFacts& facts) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(cluster_query(facts)));
  if (rows.count() != 1) return Status::ok();
  board_.begin(host_.now_ns());
  for (const ClusterColumn& c : kBackground) {
    const int column = rows.column(c.column);
    if (column >= 0 && !rows.is_null(0, column))
      PLUMB_RETURN_IF_ERROR(board_.counter(c.meaning, rows.number(0, column)));
  }
  const double age = rows.number(0, rows.column("transaction_age"));
  if (facts.freeze_max_age > 0)
    PLUMB_RETURN_IF_ERROR(board_.gauge(
        {"pg_wraparound_ratio", "ratio", PLUMB_PART_UTILISATION,
         "Age of the oldest transaction id as a share of autovacuum_freeze_max_age; at 1 vacuums "
         "are forced"},
        age / static_cast<double>(facts.freeze_max_age)));
  const double reset_at = rows.number(0, rows.column("reset_at"));
  if (background_reset_at_ >= 0 && background_reset_at_ != reset_at)
    PLUMB_RETURN_IF_ERROR(host_.event(PLUMB_WARNING, "statistics-reset",
                                      "somebody reset the statistics of the checkpointer: totals "
                                      "go on from where they were"));
  background_reset_at_ = reset_at;
  PLUMB_RETURN_IF_ERROR(put_vacuum(session, facts));
  return board_.emit();
}

Status ClusterProbe::put_vacuum(Session& session, const ServerFacts& facts) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(vacuum_query(facts)));
  PLUMB_RETURN_IF_ERROR(board_.gauge({"pg_tables_being_vacuumed", "tables", PLUMB_PART_NONE,
                                      "Tables of the database under vacuum at an instant"},
                                     rows.count()));
  TableJson table("Tables being vacuumed when last looked at",
                  {{"table", "Table"}, {"phase", "Phase"}, {"done", "Scanned", "ratio"}});
  for (int r = 0; r < rows.count(); ++r)
    table.add(
        {std::string(rows.text(r, 0)), std::string(rows.text(r, 1)), rounded(rows.number(r, 2))});
  return rows.count() == 0 ? Status::ok() : host_.table("pg_vacuum_running", table.text());
}

Status ClusterProbe::read_io(Session& session, const ServerFacts& facts) {
  if (!facts.has("pg_stat_io")) return Status::ok();
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(io_query(facts)));
  board_.begin(host_.now_ns());
  for (int r = 0; r < rows.count(); ++r) {
    const std::string backend(rows.text(r, 0));
    const std::string object(rows.text(r, 1));
    const std::string context(rows.text(r, 2));
    std::string kind = backend;
    kind.append("/").append(object).append("/").append(context);
    if (bounded(io_kinds_, std::move(kind)) == "other") continue;
    const SeriesBoard::Labels labels = {
        {"backend", backend}, {"object", object}, {"context", context}};
    for (const ClusterColumn& c : kIo) {
      const int column = rows.column(c.column);
      if (column >= 0 && !rows.is_null(r, column))
        PLUMB_RETURN_IF_ERROR(board_.counter(c.meaning, rows.number(r, column), 0, labels));
    }
  }
  return board_.emit();
}

Status ClusterProbe::read_replication(Session& session, const ServerFacts& facts) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(replication_query()));
  board_.begin(host_.now_ns());
  struct Lag {
    double bytes = 0;
    std::optional<double> seconds;
  };
  std::map<std::string, Lag> lags;  // of several standbys with one name the worst
  for (int r = 0; r < rows.count(); ++r) {
    const std::string name = bounded(followers_, cut_text(rows.text(r, 0), kLabelCharacters));
    if (rows.is_null(r, 2)) continue;
    Lag& lag = lags[name];
    lag.bytes = std::max(lag.bytes, rows.number(r, 2));
    if (!rows.is_null(r, 3)) lag.seconds = std::max(lag.seconds.value_or(0), rows.number(r, 3));
  }
  for (const auto& [name, lag] : lags) {
    const SeriesBoard::Labels labels = {{"application", name}};
    PLUMB_RETURN_IF_ERROR(board_.gauge({"pg_replication_lag_bytes", "bytes", PLUMB_PART_NONE,
                                        "WAL that a standby has yet to replay"},
                                       lag.bytes, labels));
    // Null once everything is replayed and nothing new comes.
    if (lag.seconds || lag.bytes == 0)
      PLUMB_RETURN_IF_ERROR(board_.gauge({"pg_replication_lag_seconds", "seconds", PLUMB_PART_NONE,
                                          "How long a commit took to be replayed by a standby"},
                                         lag.seconds.value_or(0), labels));
  }
  if (facts.in_recovery) {
    PLUMB_ASSIGN_OR_RETURN(const Rows own, session.query(standby_query()));
    if (own.count() == 1 && !own.is_null(0, 0))
      PLUMB_RETURN_IF_ERROR(board_.gauge({"pg_standby_lag_bytes", "bytes", PLUMB_PART_NONE,
                                          "WAL that this standby has received and not replayed"},
                                         std::max(0.0, own.number(0, 0))));
    if (own.count() == 1 && !own.is_null(0, 1))
      PLUMB_RETURN_IF_ERROR(board_.gauge({"pg_standby_lag_seconds", "seconds", PLUMB_PART_NONE,
                                          "Age of the last transaction that this standby has "
                                          "replayed, while it is behind"},
                                         std::max(0.0, own.number(0, 1))));
  }
  return board_.emit();
}

Status ClusterProbe::read_connections(Session& session, const ServerFacts& facts) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(connections_query(facts)));
  TableJson table("Who is connected to the database",
                  {{"application", "Application"},
                   {"state", "State"},
                   {"count", "Connections"},
                   {"connection", "Oldest connection", "seconds"},
                   {"transaction", "Oldest transaction", "seconds"},
                   {"in_state", "Longest in this state", "seconds"}});
  const auto seconds = [&](int r, int column) {
    return rows.is_null(r, column) ? nlohmann::json(nullptr)
                                   : nlohmann::json(rounded(std::max(0.0, rows.number(r, column))));
  };
  for (int r = 0; r < rows.count(); ++r)
    table.add({cut_text(rows.text(r, 0), kLabelCharacters), std::string(rows.text(r, 1)),
               rows.integer(r, 2), seconds(r, 3), seconds(r, 4), seconds(r, 5)});
  return host_.table("pg_connections", table.text());
}

Status ClusterProbe::read_size(Session& session, const ServerFacts& facts) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(database_size_query(facts)));
  if (rows.count() != 1 || rows.is_null(0, 0)) return Status::ok();
  database_bytes_ = rows.number(0, 0);
  board_.begin(host_.now_ns());
  PLUMB_RETURN_IF_ERROR(board_.gauge(
      {"pg_database_bytes", "bytes", PLUMB_PART_NONE, "Size of the database with its indexes"},
      *database_bytes_));
  return board_.emit();
}

}  // namespace plumb::pg_stats
