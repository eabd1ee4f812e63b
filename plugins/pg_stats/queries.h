// The SQL for what the load does: sessions, counters, locks, statements. Made for what a server
// has; every statement carries the comment "/* plumb */" inside, which pg_stat_statements keeps, so
// that the sampler's own can be told.
#ifndef PLUMB_PLUGINS_PG_STATS_QUERIES_H_
#define PLUMB_PLUGINS_PG_STATS_QUERIES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "plugins/pg_stats/server_facts.h"

namespace plumb::pg_stats {

inline constexpr std::string_view kOwnMark = "/* plumb */";

// Settings of the sampler's own session that only save memory and time. Unlike those that it
// connects with they leave pg_settings.reset_val as the server has it.
std::string modest_session_query();

// state, wait_type, wait_event, query_id, client, sessions, idle: client sessions of the database,
// grouped on the server, since that costs less there than sending them. `client` is the address of
// busy ones, null over a socket file; `idle` is null.
std::string activity_query(const ServerFacts& facts);
// The same where few of many sessions are busy, for about half the cost: only those in a
// transaction are looked at, a row each. `idle` counts the others of the database, of whatever
// kind, in every row; there is one at least, with a null state when nobody is busy. Needs
// reads_all_stats.
std::string few_busy_query(const ServerFacts& facts);

// One row; columns as in CounterProbe's tables, those that the server has.
std::string counters_query(const ServerFacts& facts);

// One row per application and state: application, state, sessions, and the oldest in seconds:
// connection, transaction, in_state.
std::string connections_query(const ServerFacts& facts);

// pid, blockers (integer array, null unless it waits), application, state, kind, query_id, query,
// client, port, lock (mode), relation: everyone who waits for a lock in the database, and everyone
// who is waited for.
std::string blocking_query(const ServerFacts& facts);

// query_id, then a column per StatementField that the server has, under its name, summed over
// users. Needs has_statements().
std::string statements_query(const ServerFacts& facts);
// query_id, query of the given ids. Needs has_statements().
std::string statement_texts_query(const ServerFacts& facts, std::span<const int64_t> query_ids);
// dealloc, reset_at (seconds since 1970). Needs the view pg_stat_statements_info.
std::string statements_info_query(const ServerFacts& facts);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_QUERIES_H_
