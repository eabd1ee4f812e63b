#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "core/diagnose/diagnosis.h"
#include "core/facts/facts.h"
#include "core/plan/quantity.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/report.h"
#include "core/report/sections.h"

namespace plumb::report {
namespace {

using nlohmann::json;

// 2026-11-20T10:45:12.345Z
std::string rfc3339(int64_t unix_ms) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return {};
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(unix_ms % 1000));
  return out.data();
}

json window_json(const store::RunData& run) {
  const auto window = facts::steady_window(run);
  if (!window) return nullptr;
  json out = span(run, window->start_ns, window->end_ns);
  out["seconds"] = window->seconds();
  return out;
}

json course_json(const store::RunData& run) {
  json out = json::array();
  for (const StageSpan& stage : run.stages) {
    json one = span(run, stage.start_ns, stage.end_ns);
    one["kind"] = stage_kind_name(stage.kind);
    one["name"] = stage.name;
    out.push_back(std::move(one));
  }
  return out;
}

json run_json(const store::RunData& run) {
  const json& load = member(run.header.plan, "load");
  const std::string model = text(load, "model");
  json rate;
  if (const auto written = plan::parse_rate(text(load, "rate")); written && model == "open")
    rate = *written;
  json users;
  if (const auto count = number(load, "users"); count && model == "closed") users = *count;
  const std::string target = text(member(run.header.plan, "target"), "url");
  return {{"id", run.header.id},
          {"name", run.header.name},
          {"state", store::run_state_name(run.state)},
          {"started", rfc3339(run.header.started_unix_ms)},
          {"window", window_json(run)},
          {"stages", course_json(run)},
          {"model", model.empty() ? json() : json(model)},
          {"users", std::move(users)},
          {"rate", std::move(rate)},
          {"target", target.empty() ? json() : json(target)}};
}

// What the run recorded of its machine, and what host_metrics saw of it (table `host`).
json environment_json(const store::RunData& run, const json& tables) {
  json out = run.header.environment.is_object() ? run.header.environment : json::object();
  const json& rows = list(member(tables, "host"), "rows");
  if (rows.empty()) return out;
  json host = json::object();
  for (const json& row : rows)
    if (row.size() >= 2 && row[0].is_string()) host[row[0].get<std::string>()] = row[1];
  out["host"] = std::move(host);
  return out;
}

// How the run ended, where that limits what can be concluded.
void note_end(const store::RunData& run, json& notes) {
  const double last = run_seconds(run, run.ended_ns);
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.1f s", run.ended_ns > 0 ? last : 0.0);
  switch (run.state) {
    case store::RunState::kRunning:
      notes.push_back(std::string("The run was cut off after ") + seconds.data() +
                      ": its file was never closed, so this report rests on what was written "
                      "until then.");
      break;
    case store::RunState::kInterrupted:
      notes.push_back(std::string("The run was interrupted after ") + seconds.data() + ".");
      break;
    case store::RunState::kFailed:
      notes.push_back(std::string("The run failed after ") + seconds.data() +
                      "; the events say why.");
      break;
    case store::RunState::kFinished:
      break;
  }
}

// A sampler that had to slow down saw less than the plan asked for.
void note_slowed_samplers(const store::RunData& run, json& notes) {
  std::map<std::string, std::string> last;  // by plugin: it may have slowed down several times
  for (const Event& event : run.events)
    if (event.kind == "sampler-slowed" || event.kind == "sampler-restored")
      last[event.plugin] = event.message;
  for (const auto& [plugin, message] : last) notes.push_back(message + ".");
}

// What the importer of a run assumed. What its tool cannot tell is in the health.
void note_imports(const store::RunData& run, json& notes) {
  for (const Event& event : run.events)
    if (event.kind == "import-note") notes.push_back(event.message);
}

}  // namespace

double run_seconds(const store::RunData& run, int64_t time_ns) {
  return std::round(static_cast<double>(time_ns - run.header.started_ns) / 1e6) / 1e3;
}

json span(const store::RunData& run, int64_t start_ns, int64_t end_ns) {
  return {{"start_s", run_seconds(run, start_ns)}, {"end_s", run_seconds(run, end_ns)}};
}

json or_null(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? json(*value) : json();
}

double six_digits(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10.0, 5 - std::floor(std::log10(std::fabs(value))));
  const double rounded = std::round(value * scale) / scale;
  return std::isfinite(rounded) ? rounded : value;
}

Result<json> build(const store::RunData& run) {
  facts::FactSet facts = facts::compute(run);
  PLUMB_ASSIGN_OR_RETURN(const diagnose::Diagnosis diagnosis, diagnose::diagnose(run, facts));
  json notes = json::array();
  note_end(run, notes);
  note_slowed_samplers(run, notes);
  note_imports(run, notes);
  for (const std::string& note : diagnosis.notes) notes.push_back(note);
  json tables = tables_json(run, notes);
  json events = events_json(run, notes);
  json profiles = profiles_json(run, facts, notes);
  const auto analysis = run.documents.find("analysis");
  json environment = environment_json(run, tables);
  return valid_document(json{
      {"schema_version", kSchemaVersion},
      {"plumb_version", PLUMB_VERSION},
      {"run", run_json(run)},
      {"environment", std::move(environment)},
      {"plan", run.header.plan.is_object() ? run.header.plan : json::object()},
      {"validity", validity_json(diagnosis.validity)},
      {"verdict", verdict_json(diagnosis.verdict)},
      {"ledger", ledger_json(diagnosis.ledger)},
      {"ledger_summary", ledger_summary_json(diagnosis.ledger)},
      {"ledger_over_time", ledger_over_time_json(run, diagnosis.ledger)},
      {"changes", changes_json(diagnosis)},
      {"ledger_by_endpoint", endpoint_ledgers_json(diagnosis)},
      {"stages", stages_json(run, diagnosis)},
      {"matrix", matrix_json(diagnosis)},
      {"findings", findings_json(diagnosis)},
      {"facts", facts_json(run, facts)},
      {"capacity_model", capacity_model_json(diagnosis)},
      {"slos", slos_json(diagnosis)},
      {"endpoints", endpoints_json(facts)},
      {"errors", errors_json(run, facts)},
      {"timeline", timeline_json(run)},
      {"latency_histogram", latency_histogram_json(run)},
      {"latency_intervals", latency_intervals_json(run)},
      {"tables", std::move(tables)},
      {"health", health_json(run)},
      {"events", std::move(events)},
      {"self", self_json(run, facts)},
      {"profiles", std::move(profiles)},
      {"notes", std::move(notes)},
      {"analysis", analysis == run.documents.end() ? json() : analysis->second},
  });
}

}  // namespace plumb::report
