#include "plugins/pg_stats/missing_abilities.h"

#include "plugins/pg_stats/sql_text.h"

namespace plumb::pg_stats {
namespace {

constexpr const char* kReload = " SELECT pg_reload_conf();";

std::string alter_system(const std::string& setting) {
  return "ALTER SYSTEM SET " + setting + ";" + kReload;
}

std::string create_extension(const ServerFacts& facts) {
  return "CREATE EXTENSION pg_stat_statements; in database " + quoted_identifier(facts.database);
}

void add_statements(const ServerFacts& facts, std::vector<MissingAbility>& out) {
  const std::string ability = "naming statements, with their calls, times and blocks";
  if (!facts.statements_loaded) {
    out.push_back({"statements", ability, "pg_stat_statements is not loaded",
                   "add it to shared_preload_libraries, restart PostgreSQL, and run " +
                       create_extension(facts),
                   true});
    return;
  }
  if (facts.statements_schema.empty())
    out.push_back({"statements", ability, "the extension is not created in this database",
                   create_extension(facts), true});
  if (facts.statements_track == "none")
    out.push_back({"statements_track", ability, "pg_stat_statements.track is none",
                   alter_system("pg_stat_statements.track = 'top'"), true});
  if (facts.has_statements() && !facts.has("pg_stat_statements", "total_exec_time") &&
      facts.major() >= 13)
    out.push_back({"statements_version", "planning time, WAL and query ids of statements",
                   "the extension is of an older version than the server",
                   "ALTER EXTENSION pg_stat_statements UPDATE;"});
  // From version 1.9 of the extension on, the column toplevel tells them apart.
  if (facts.statements_track == "all" && facts.has_statements() &&
      !facts.has("pg_stat_statements", "toplevel"))
    out.push_back({"statements_nested", "statements apart from those inside functions",
                   "pg_stat_statements.track is all, and this version of the extension does not "
                   "tell which were called by a function: their time counts twice",
                   alter_system("pg_stat_statements.track = 'top'"), true});
  if (facts.has("pg_stat_statements", "total_plan_time") && !facts.tracks_planning)
    out.push_back({"planning", "time that statements take to plan",
                   "pg_stat_statements.track_planning is off",
                   alter_system("pg_stat_statements.track_planning = on")});
}

void add_query_ids(const ServerFacts& facts, std::vector<MissingAbility>& out) {
  const std::string ability = "which statement a session is running";
  if (!facts.has_query_ids()) {
    out.push_back({"query_ids", ability,
                   "PostgreSQL " + std::to_string(facts.major()) + " shows no query ids",
                   "PostgreSQL 14 and later do"});
    return;
  }
  // "auto" is on as soon as a module asks for it.
  const bool computed = facts.compute_query_id == "on" || facts.compute_query_id == "regress" ||
                        (facts.compute_query_id == "auto" && facts.statements_loaded);
  if (!computed)
    out.push_back({"query_ids", ability, "compute_query_id is " + facts.compute_query_id,
                   alter_system("compute_query_id = 'on'"), facts.compute_query_id == "off"});
}

void add_timing(const ServerFacts& facts, std::vector<MissingAbility>& out) {
  if (!facts.tracks_io_time)
    out.push_back({"io_timing", "time spent reading and writing blocks, by statement and in all",
                   "track_io_timing is off", alter_system("track_io_timing = on")});
  if (facts.has("pg_stat_wal") && !facts.tracks_wal_io_time)
    out.push_back({"wal_io_timing", "time spent writing and syncing WAL",
                   "track_wal_io_timing is off", alter_system("track_wal_io_timing = on")});
}

void add_age(const ServerFacts& facts, std::vector<MissingAbility>& out) {
  const std::string version = "PostgreSQL " + std::to_string(facts.major());
  if (!facts.has("pg_stat_database", "active_time"))
    out.push_back({"version", "active time and sessions opened",
                   version + " keeps no active_time, so database time is a lower bound from samples"
                             " and statements",
                   "PostgreSQL 14 and later do", true});
  if (!facts.has("pg_stat_wal"))
    out.push_back({"wal", "WAL records and syncs", version + " has no pg_stat_wal",
                   "PostgreSQL 14 and later do"});
  if (!facts.has("pg_stat_io"))
    out.push_back({"io", "reads and writes by kind of backend", version + " has no pg_stat_io",
                   "PostgreSQL 16 and later do"});
}

}  // namespace

std::string sentence_of(const MissingAbility& missing) {
  return "not seen: " + missing.ability + ", since " + missing.why + ": " + missing.how;
}

std::vector<MissingAbility> missing_abilities(const ServerFacts& facts) {
  std::vector<MissingAbility> out;
  const std::string role = quoted_identifier(facts.role);
  if (!facts.reads_all_stats)
    out.push_back({"role", "other roles' sessions and statements",
                   "role " + role + " sees only its own", "GRANT pg_monitor TO " + role + ";",
                   true});
  add_statements(facts, out);
  add_query_ids(facts, out);
  if (!facts.tracks_activities)
    out.push_back({"activities", "what sessions do", "track_activities is off",
                   alter_system("track_activities = on"), true});
  if (!facts.tracks_counts)
    out.push_back({"counts", "scans and rows of tables", "track_counts is off",
                   alter_system("track_counts = on"), true});
  add_timing(facts, out);
  if (!facts.reads_all_tables)
    out.push_back({"plans", "plans of statements over tables that the role may not read",
                   "role " + role + " is not granted them",
                   facts.major() >= 14 ? "GRANT pg_read_all_data TO " + role + ";"
                                       : "GRANT SELECT on these tables to " + role + ";"});
  add_age(facts, out);
  return out;
}

}  // namespace plumb::pg_stats
