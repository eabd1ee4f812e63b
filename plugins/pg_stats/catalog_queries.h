// The SQL for what the database is made of: tables, indexes, settings, and for how the cluster does
// beside the load. See queries.h.
#ifndef PLUMB_PLUGINS_PG_STATS_CATALOG_QUERIES_H_
#define PLUMB_PLUGINS_PG_STATS_CATALOG_QUERIES_H_

#include <cstdint>
#include <span>
#include <string>

#include "plugins/pg_stats/server_facts.h"

namespace plumb::pg_stats {

// oid, name, seq_scans, seq_tuples, index_scans, live, dead, modified, vacuumed_ago (seconds, null
// when never), of the database's own tables that ever gave rows or have some to vacuum.
std::string tables_query();
// oid, live, bytes of the given tables; takes a lock on each for an instant.
std::string table_sizes_query(std::span<const int64_t> oids);
// The same without a lock, from the last ANALYZE or VACUUM.
std::string table_estimates_query(std::span<const int64_t> oids);

// Indexes of the database's own tables from oid $1 on, at most $2, by oid: oid, name, table_oid,
// table, method, keys, key_columns, sort (columns' order, operator classes, collations),
// expressions and predicate (as stored), unique, constrained (primary, exclusion, a constraint's,
// part of a partitioned one), valid, bytes (estimated), scans.
std::string indexes_query(const ServerFacts& facts);

// name, value, unit, default (boolean) of the settings worth knowing when reading a run.
std::string settings_query();
// One row: the database's size in bytes. Looks at every file, so it costs with their number.
std::string database_size_query(const ServerFacts& facts);

// One row: checkpoints, buffers, transaction age; columns as in ClusterProbe's table.
std::string cluster_query(const ServerFacts& facts);
// backend, object, context, then sums. Needs the view pg_stat_io.
std::string io_query(const ServerFacts& facts);
// table, phase, done (0 to 1): what is being vacuumed in the database.
std::string vacuum_query(const ServerFacts& facts);
// application, state, bytes, seconds (null while nothing is to be replayed): who follows this
// server.
std::string replication_query();
// One row on a standby: bytes and seconds that it is behind what it has received.
std::string standby_query();

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_CATALOG_QUERIES_H_
