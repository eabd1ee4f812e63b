// What may be planned, and a plan as EXPLAIN (FORMAT JSON) gives it, made fit to be shown: short,
// and without any literal.
#ifndef PLUMB_PLUGINS_PG_STATS_PLAN_TEXT_H_
#define PLUMB_PLUGINS_PG_STATS_PLAN_TEXT_H_

#include <plumb/status.hpp>
#include <set>
#include <string>
#include <string_view>

namespace plumb::pg_stats {

struct PlanSummary {
  std::string text;  // one node per line, indented; at most a few thousand characters
  std::set<std::string> seq_scanned;  // relations, as the plan names them, with a schema if given
  double cost = 0;                    // the planner's estimate of the whole
};

// Only what is known to be a name or a number is copied; expressions go through redact_statement,
// everything else is left out. Fails when `json` is no plan.
Result<PlanSummary> summarise_plan(std::string_view json);

// Whether a text of pg_stat_statements may be handed to the planner: a SELECT (also with WITH), an
// UPDATE or a DELETE.
bool may_be_planned(std::string_view sql);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_PLAN_TEXT_H_
