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
constexpr const char* kPlanStatement = "plumb_plan";
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

Status PlanProbe::step(Session& session) {
  if (queue_.empty()) return Status::ok();
  const Question question = std::move(queue_.front());
  queue_.pop_front();
  Answer answer{question, {}, {}, 0, false};
  const Result<std::string> json = explain(session, question);
  if (!session.alive()) return json.status();
  Result<PlanSummary> plan =
      json.is_ok() ? summarise_plan(*json) : Result<PlanSummary>(json.status());
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

Result<std::string> PlanProbe::explain(Session& session, const Question& question) {
  // Whatever fails inside, the transaction's end puts search_path back.
  PLUMB_RETURN_IF_ERROR(session.query("BEGIN /* plumb */ READ ONLY").status());
  // The session's own frugality is not the application's.
  for (const char* sql : {"SET LOCAL /* plumb */ work_mem TO DEFAULT",
                          "SET LOCAL /* plumb */ max_parallel_workers_per_gather TO DEFAULT"})
    if (session.alive()) (void)session.query(sql);
  Status prepared =
      session.query("SELECT /* plumb */ set_config('search_path', $1, true)", {search_path_})
          .status();
  if (prepared.is_ok()) prepared = session.prepare(kPlanStatement, question.sql);
  const Result<std::string> json =
      prepared.is_ok() ? explain_prepared(session) : Result<std::string>(prepared);
  // A commit of nothing, which ends SET LOCAL too, and a rollback where something failed: the
  // application's rollbacks stay what the server counts.
  if (session.alive()) (void)session.query("COMMIT /* plumb */");
  // Which leaves it.
  if (session.alive() && prepared.is_ok())
    (void)session.query(std::string("DEALLOCATE /* plumb */ ") + kPlanStatement);
  return json;
}

Result<std::string> PlanProbe::explain_prepared(Session& session) const {
  PLUMB_ASSIGN_OR_RETURN(const int parameters, session.parameters_of(kPlanStatement));
  if (parameters > kMostParameters) return Status::unsupported("too many parameters");
  std::string nulls;
  for (int i = 0; i < parameters; ++i) nulls += i == 0 ? "(NULL" : ", NULL";
  if (!nulls.empty()) nulls += ")";
  PLUMB_ASSIGN_OR_RETURN(const Rows rows,
                         session.query(std::string("EXPLAIN /* plumb */ (FORMAT JSON) EXECUTE ") +
                                       kPlanStatement + nulls));
  if (rows.count() == 0) return Status::internal("no plan");
  return std::string(rows.text(0, 0));
}

Status PlanProbe::emit_table() const {
  if (answers_.empty()) return Status::ok();
  TableJson table("How the server would run the statements that read tables from end to end",
                  {{"query", "Query id"},
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
