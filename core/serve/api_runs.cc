// Runs: started, listed, looked at, followed, stopped and deleted.
#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>

#include "core/report/report.h"
#include "core/serve/api.h"
#include "core/session/exit_code.h"
#include "core/session/session.h"

namespace plumb::serve {
namespace {

using nlohmann::json;

constexpr size_t kRowsUnlessAsked = 50;
constexpr size_t kMostRows = 200;
constexpr size_t kMostJudgements = 64;
// The number of the one event that is told of a run whose events are forgotten: later than any, and
// a whole number in JavaScript.
constexpr uint64_t kLastOfAll = (uint64_t{1} << 53) - 1;

// A number within its bounds, or nullopt.
std::optional<size_t> number_in(const std::string& text, size_t least, size_t most) {
  size_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < least || value > most) return std::nullopt;
  return value;
}

Problem bad_query(const std::string& detail) {
  return {400, "bad-query", "The query is not what is taken here", detail};
}

Problem not_yet_over(const std::string& id, const std::string& detail) {
  Problem problem{409, "run-in-progress", "The run goes on", detail};
  problem.extra["id"] = id;
  problem.extra["links"] = run_links(id);
  return problem;
}

uint64_t last_event_id(const RequestHead& head) {
  const std::string* text = head.header("last-event-id");
  if (!text) return 0;
  return number_in(*text, 0, std::numeric_limits<size_t>::max()).value_or(0);
}

}  // namespace

std::string utc_text(int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

json run_links(const std::string& id) {
  const std::string self = "/api/v1/runs/" + id;
  return {{"self", self},
          {"events", self + "/events"},
          {"report", self + "/report"},
          {"stop", self + "/stop"}};
}

json Api::live_json(const LiveRun& run) const {
  return {{"id", run.id},
          {"name", run.name},
          {"state", run.stopping ? "stopping" : "running"},
          {"started", utc_text(run.started_unix_ms)},
          {"live", run.numbers},
          {"links", run_links(run.id)}};
}

json Api::record_json(const std::string& id, const RunRecord& record) const {
  json out = {{"id", id},
              {"name", record.run.header.name},
              {"state", store::run_state_name(record.run.state)},
              {"started", utc_text(record.run.header.started_unix_ms)},
              {"links", run_links(id)}};
  const auto summary = record.run.documents.find("summary");
  if (summary != record.run.documents.end()) out["summary"] = summary->second;
  return out;
}

json Api::row_json(const std::string& id) const {
  const auto record = files_.record(id);
  if (record.is_ok()) return record_json(id, *record);
  return {{"id", id},
          {"state", "unreadable"},
          {"message", record.status().message()},
          {"links", run_links(id)}};
}

bool Api::is_live(const std::string& id) const {
  const auto live = runs_.live();
  return live && live->id == id;
}

Response Api::start_run(const Call& call) {
  const auto posted = read_posted_plan(call.request);
  if (const auto* problem = std::get_if<Problem>(&posted)) return to_response(*problem);
  plan::Outcome outcome = check_posted_plan(std::get<PostedPlan>(posted), options_.policy);
  if (!outcome.ok()) return to_response(invalid_plan(outcome));
  if (const auto refusal = check_policy(outcome.plan, options_.policy)) {
    return to_response(*refusal);
  }
  outcome.plan.run_dir = options_.run_dir.string();
  const auto id = runs_.start(std::move(outcome.plan));
  if (id.is_ok()) {
    Response response = json_response(202, {{"id", *id},
                                            {"state", "running"},
                                            {"links", run_links(*id)},
                                            {"warnings", outcome.warnings}});
    response.headers.emplace_back("Location", "/api/v1/runs/" + *id);
    return response;
  }
  const auto live = runs_.live();
  if (id.status().code() != PLUMB_RESOURCE_EXHAUSTED || !live) {
    return to_response(problem_of(id.status()));
  }
  return to_response(not_yet_over(live->id, "Run " + live->id +
                                                " goes on, and two runs at a time would measure "
                                                "each other. Wait for it, or stop it."));
}

Response Api::list_runs(const Call& call) {
  const RequestHead& head = call.request.head;
  const auto limit =
      number_in(head.query("limit").value_or(std::to_string(kRowsUnlessAsked)), 1, kMostRows);
  const auto offset =
      number_in(head.query("offset").value_or("0"), 0, std::numeric_limits<size_t>::max() / 2);
  if (!limit || !offset) {
    return to_response(bad_query("limit is a number from 1 to " + std::to_string(kMostRows) +
                                 ", offset one from 0."));
  }
  std::vector<std::string> ids = files_.ids();
  const auto live = runs_.live();
  // Until its first signal a run has no file.
  if (live && std::find(ids.begin(), ids.end(), live->id) == ids.end()) {
    ids.insert(ids.begin(), live->id);
  }
  json rows = json::array();
  for (size_t i = *offset; i < ids.size() && rows.size() < *limit; ++i) {
    rows.push_back(live && live->id == ids[i] ? live_json(*live) : row_json(ids[i]));
  }
  return json_response(
      200, {{"total", ids.size()}, {"limit", *limit}, {"offset", *offset}, {"runs", rows}});
}

Response Api::get_run(const Call& call) {
  const auto live = runs_.live();
  if (live && live->id == call.id) return json_response(200, live_json(*live));
  const auto ended = runs_.ended(call.id);
  const auto record = files_.record(call.id);
  if (!record.is_ok() && ended && record.status().code() == PLUMB_NOT_FOUND) {
    return json_response(200, {{"id", call.id},
                               {"state", store::run_state_name(ended->state)},
                               {"message", ended->message},
                               {"links", run_links(call.id)}});
  }
  if (!record.is_ok()) return to_response(problem_of(record.status()));
  json out = record_json(call.id, *record);
  if (ended && !ended->message.empty()) out["message"] = ended->message;
  if (!record->being_written) out.update(judgement_of(call.id));
  return json_response(200, out);
}

namespace {

// As it was when the run ended, which a baseline may have decided.
int exit_code_of(const store::RunData& run, const json& report) {
  const auto kept = run.documents.find(session::kSummaryDocument);
  if (kept != run.documents.end() && kept->second.is_object() &&
      kept->second.value("exit_code", json()).is_number_integer())
    return kept->second["exit_code"].get<int>();
  return static_cast<int>(session::exit_code_of(report));
}

}  // namespace

json Api::judgement_of(const std::string& id) {
  {
    MutexLock lock(mutex_);
    if (const auto at = judgements_.find(id); at != judgements_.end()) return at->second;
  }
  const auto file = files_.file_of(id);
  if (!file.is_ok()) return json::object();
  const auto run = store::read_run(*file);
  if (!run.is_ok()) return json::object();
  const auto report = report::build(*run);
  if (!report.is_ok()) return json::object();
  json out = json::object();
  for (const char* key : {"validity", "verdict", "slos"}) {
    if (report->contains(key)) out[key] = report->at(key);
  }
  out["exit_code"] = exit_code_of(*run, *report);
  MutexLock lock(mutex_);
  if (judgements_.size() >= kMostJudgements) judgements_.erase(judgements_.begin());
  judgements_[id] = out;
  return out;
}

Response Api::stop_run(const Call& call) {
  const Status stopped = runs_.stop(call.id);
  if (stopped.is_ok()) {
    return json_response(202,
                         {{"id", call.id}, {"state", "stopping"}, {"links", run_links(call.id)}});
  }
  const bool known = files_.file_of(call.id).is_ok() || runs_.ended(call.id).has_value();
  if (stopped.code() != PLUMB_NOT_FOUND || !known) return to_response(problem_of(stopped));
  return to_response({409, "run-over", "The run does not go on here",
                      "Run " + call.id + " is over, or another program runs it."});
}

Response Api::delete_run(const Call& call) {
  const auto file = files_.file_of(call.id);
  const auto record = files_.record(call.id);
  if (is_live(call.id) || (record.is_ok() && record->being_written)) {
    return to_response(
        not_yet_over(call.id, "A run can be deleted once it is over. Stop it first."));
  }
  const Status removed = files_.remove(call.id);
  if (!removed.is_ok()) return to_response(problem_of(removed));
  MutexLock lock(mutex_);
  judgements_.erase(call.id);
  Response response;
  response.status = 204;
  return response;
}

Response Api::run_events(const Call& call) {
  Response response;
  response.content_type = "text/event-stream";
  response.events_after = last_event_id(call.request.head);
  response.events = runs_.events(call.id);
  if (!response.events) {
    const auto record = files_.record(call.id);
    if (!record.is_ok()) return to_response(problem_of(record.status()));
    if (record->being_written) {
      return to_response({409, "run-elsewhere", "The run does not go on here",
                          "Another program runs " + call.id + "; its events are not known here."});
    }
    response.events = std::make_shared<EventLog>(1, kLastOfAll);
    response.events->append("done", record_json(call.id, *record).dump());
    response.events->end();
    // Events before this one are not lost to the client: they were never of this process.
    response.events_after = std::max(response.events_after, kLastOfAll - 1);
  }
  // Tells an EventSource that it need not come back.
  if (response.events->exhausted(response.events_after)) {
    Response nothing;
    nothing.status = 204;
    return nothing;
  }
  return response;
}

}  // namespace plumb::serve
