#include "plugins/pg_stats/plan_probe.h"

#include <algorithm>

#include "plugins/pg_stats/plan_text.h"
#include "plugins/pg_stats/queries.h"
#include "plugins/pg_stats/sql_text.h"
#include "plugins/pg_stats/statement_text.h"
#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

constexpr size_t kMostPlans = 5;
constexpr const char* kPlanStatement = "plumb_plan_";
// What the server may take for each of the two statements that may take long.
constexpr std::chrono::milliseconds kLongestPlanning(1000);
constexpr std::chrono::milliseconds kLeastPlanning(50);

using Clock = Session::Clock;

// Hands a step's statements over while there is time.
class TimedSteps {
 public:
  TimedSteps(Session& session, Clock::time_point until) : session_(session), until_(until) {}
  Result<Rows> ask(const std::string& sql, const std::vector<std::string>& parameters = {}) {
    PLUMB_RETURN_IF_ERROR(in_time());
    return session_.query(sql, parameters);
  }
  Status in_time() const {
    return Clock::now() < until_ ? Status::ok() : Status::deadline_exceeded("no time was left");
  }

 private:
  Session& session_;
  Clock::time_point until_;
};
constexpr int kMostParameters = 1000;

// The server quotes what it could not plan, which may hold values: only its state says reason_of.
std::string reason_of(const Status& status) {
  switch (status.code()) {
    case PLUMB_PERMISSION_DENIED:
      return "the role may not read its tables: GRANT pg_read_all_data to it, or SELECT on them";
    case PLUMB_DEADLINE_EXCEEDED:
      return "planning took too long, or a table was locked";
    default:
      return "the server could not plan the normalised text by itself";
  }
}

}  // namespace

void PlanProbe::clear() {
  began_ = false;
  queue_.clear();
  answers_.clear();
  given_up_ = 0;
}

Status PlanProbe::begin(Session& session, const ServerFacts& facts,
                        const std::vector<Suspect>& suspects,
                        const std::unordered_map<int64_t, std::string>& shown) {
  std::vector<int64_t> ids;
  std::unordered_map<int64_t, std::string> table_of;
  // Names without a schema mean the application's, whose search_path nobody tells: the suspected
  // tables' schemas come first.
  std::vector<std::string> schemas;
  for (const Suspect& suspect : suspects) {
    const size_t dot = suspect.table.find('.');
    const std::string schema = dot == std::string::npos ? "public" : suspect.table.substr(0, dot);
    if (std::ranges::find(schemas, schema) == schemas.end()) schemas.push_back(schema);
    for (const int64_t id : suspect.query_ids)
      if (ids.size() < kMostPlans && table_of.emplace(id, suspect.table).second) ids.push_back(id);
  }
  if (ids.empty()) return Status::ok();
  began_ = true;
  PLUMB_ASSIGN_OR_RETURN(
      const Rows others,
      session.query("SELECT /* plumb */ nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'"
                    " AND nspname <> 'information_schema' ORDER BY nspname <> 'public', nspname"
                    " LIMIT 50"));
  for (int r = 0; r < others.count(); ++r)
    if (std::string name(others.text(r, 0)); std::ranges::find(schemas, name) == schemas.end())
      schemas.push_back(std::move(name));
  search_path_.clear();
  for (const std::string& schema : schemas)
    search_path_ += (search_path_.empty() ? "" : ", ") + quoted_identifier(schema);
  PLUMB_ASSIGN_OR_RETURN(const Rows texts, session.query(statement_texts_query(facts, ids)));
  for (int r = 0; r < texts.count(); ++r) {
    const int64_t id = texts.integer(r, 0);
    if (!may_be_planned(texts.text(r, 1))) continue;
    const auto text = shown.find(id);
    queue_.push_back(
        {id, std::string(texts.text(r, 1)), text == shown.end() ? "" : text->second, table_of[id]});
  }
  return Status::ok();
}

Status PlanProbe::step(Session& session, Clock::time_point until) {
  if (queue_.empty()) return Status::ok();
  Question question = std::move(queue_.front());
  queue_.pop_front();
  const Result<std::string> json = explain(session, question, until);
  if (!session.alive()) return json.status();
  if (!json.is_ok() && Clock::now() >= until) {
    answer_unasked(std::move(question));
    return Status::ok();
  }
  Result<PlanSummary> plan =
      json.is_ok() ? summarise_plan(*json) : Result<PlanSummary>(json.status());
  Answer answer{std::move(question), {}, {}, 0, false};
  if (plan.is_ok()) {
    answer.text = std::move(plan->text);
    answer.seq_scanned = std::move(plan->seq_scanned);
    answer.cost = plan->cost;
    answer.planned = true;
  } else {
    answer.text = "no plan: " + reason_of(plan.status());
  }
  answers_.push_back(std::move(answer));
  return Status::ok();
}

void PlanProbe::give_up() {
  for (Question& question : queue_) answer_unasked(std::move(question));
  queue_.clear();
}

void PlanProbe::answer_unasked(Question question) {
  ++given_up_;
  answers_.push_back(
      {std::move(question), "no plan: no time was left to ask for it", {}, 0, false});
}

Result<std::string> PlanProbe::explain(Session& session, const Question& question,
                                       Clock::time_point until) {
  const std::string name = kPlanStatement + std::to_string(++prepared_);
  // Whatever fails inside, the transaction's end puts the settings back.
  PLUMB_RETURN_IF_ERROR(session.query("BEGIN /* plumb */ READ ONLY").status());
  const Status prepared = prepare(session, name, question, until);
  const Result<std::string> json =
      prepared.is_ok() ? explain_prepared(session, name, until) : Result<std::string>(prepared);
  // A commit of nothing, and a rollback where something failed.
  if (session.alive() && !session.query("COMMIT /* plumb */").is_ok()) session.abandon();
  // Which leaves the prepared statement. Where there is no time for it, it stays: nobody uses its
  // name again.
  if (session.alive() && prepared.is_ok()) (void)session.query("DEALLOCATE /* plumb */ " + name);
  return json;
}

Status PlanProbe::prepare(Session& session, const std::string& name, const Question& question,
                          Clock::time_point until) const {
  TimedSteps steps(session, until);
  const auto half = std::chrono::floor<std::chrono::milliseconds>(until - Clock::now()) / 2;
  const auto timeout = std::clamp(half, kLeastPlanning, kLongestPlanning);
  PLUMB_RETURN_IF_ERROR(steps
                            .ask("SELECT /* plumb */ set_config('search_path', $1, true),"
                                 " set_config('statement_timeout', $2, true)",
                                 {search_path_, std::to_string(timeout.count())})
                            .status());
  // The session's own frugality is not the application's.
  for (const char* sql : {"SET LOCAL /* plumb */ work_mem TO DEFAULT",
                          "SET LOCAL /* plumb */ max_parallel_workers_per_gather TO DEFAULT"})
    PLUMB_RETURN_IF_ERROR(steps.ask(sql).status());
  PLUMB_RETURN_IF_ERROR(steps.in_time());
  return session.prepare(name.c_str(), question.sql);
}

Result<std::string> PlanProbe::explain_prepared(Session& session, const std::string& name,
                                                Clock::time_point until) const {
  TimedSteps steps(session, until);
  PLUMB_RETURN_IF_ERROR(steps.in_time());
  PLUMB_ASSIGN_OR_RETURN(const int parameters, session.parameters_of(name.c_str()));
  if (parameters > kMostParameters) return Status::unsupported("too many parameters");
  std::string nulls;
  for (int i = 0; i < parameters; ++i) nulls += i == 0 ? "(NULL" : ", NULL";
  if (!nulls.empty()) nulls += ")";
  std::string sql = "EXPLAIN /* plumb */ (FORMAT JSON) EXECUTE ";
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, steps.ask(sql.append(name).append(nulls)));
  if (rows.count() == 0) return Status::internal("no plan");
  return std::string(rows.text(0, 0));
}

Status PlanProbe::emit_table() const {
  if (answers_.empty()) return Status::ok();
  std::string title = "How the server would run the statements that read tables from end to end";
  if (given_up_ > 0)
    title += " (" + std::to_string(given_up_) + " not planned, since no time was left)";
  TableJson table(title.c_str(), {{"query", "Query id"},
                                  {"statement", "Statement"},
                                  {"table", "Suspected table"},
                                  {"seq_scanned", "Read from end to end"},
                                  {"cost", "Estimated cost"},
                                  {"plan", "Plan"}});
  for (const Answer& a : answers_) {
    std::string scanned;
    for (const std::string& name : a.seq_scanned) scanned += (scanned.empty() ? "" : ", ") + name;
    table.add({query_id_text(a.question.query_id), a.question.shown, a.question.table, scanned,
               a.planned ? nlohmann::json(rounded(a.cost)) : nlohmann::json(nullptr), a.text});
  }
  return host_.table("pg_plans", table.text());
}

}  // namespace plumb::pg_stats
