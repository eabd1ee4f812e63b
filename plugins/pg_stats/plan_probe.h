// Near the end of the steady stage: how the server would run the statements that read tables from
// end to end. Nothing is executed.
#ifndef PLUMB_PLUGINS_PG_STATS_PLAN_PROBE_H_
#define PLUMB_PLUGINS_PG_STATS_PLAN_PROBE_H_

#include <cstdint>
#include <deque>
#include <plumb/plugin.hpp>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/pg_stats/server_facts.h"
#include "plugins/pg_stats/session.h"
#include "plugins/pg_stats/suspects.h"

namespace plumb::pg_stats {

// Asks for one plan per step(), at most a few in all. A statement is prepared by the protocol,
// which takes a single one only, and explained with NULL for each parameter and plan_cache_mode =
// force_generic_plan: the same on every version, and the plan that does not depend on values. Never
// ANALYZE. Not thread-safe.
class PlanProbe {
 public:
  explicit PlanProbe(Host host) : host_(host) {}

  // A new stretch: forgets the earlier one's plans.
  void clear();
  // There were statements to ask for.
  bool began() const { return began_; }
  bool waiting() const { return !queue_.empty(); }
  // Fetches the texts of the suspects' statements. `shown`: their redacted texts, by query id.
  Status begin(Session& session, const ServerFacts& facts, const std::vector<Suspect>& suspects,
               const std::unordered_map<int64_t, std::string>& shown);
  // One plan. That one cannot be had is no failure: the table says why. From `until` on nothing is
  // asked any more; the session's own time is longer, so that it can be left as it was.
  Status step(Session& session, Session::Clock::time_point until);
  // No time is left: the table says of what waits that it was not asked for.
  void give_up();
  Status emit_table() const;

 private:
  struct Question {
    int64_t query_id = 0;
    std::string sql;    // as pg_stat_statements has it: stays inside the plugin
    std::string shown;  // redacted
    std::string table;  // that is suspected
  };
  struct Answer {
    Question question;
    std::string text;  // the plan, or why there is none
    std::set<std::string> seq_scanned;
    double cost = 0;
    bool planned = false;
  };
  Result<std::string> explain(Session& session, const Question& question,
                              Session::Clock::time_point until);
  // Both inside a transaction, which the caller ends.
  Status prepare(Session& session, const std::string& name, const Question& question,
                 Session::Clock::time_point until) const;
  Result<std::string> explain_prepared(Session& session, const std::string& name,
                                       Session::Clock::time_point until) const;
  void answer_unasked(Question question);

  Host host_;
  bool began_ = false;
  int64_t prepared_ = 0;
  size_t given_up_ = 0;
  std::string search_path_;
  std::deque<Question> queue_;
  std::vector<Answer> answers_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_PLAN_PROBE_H_
