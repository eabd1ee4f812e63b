#include "core/report/sections.h"

namespace plumb::report {

using nlohmann::json;

json validity_json(const diagnose::Validity& validity) {
  json reasons = json::array();
  json checks = json::array();
  for (const diagnose::ValidityCheck& check : validity.checks) {
    if (!check.passed) reasons.push_back(check.sentence);
    checks.push_back({{"name", check.name},
                      {"passed", check.passed},
                      {"fatal", check.fatal},
                      {"sentence", check.sentence},
                      {"evidence", check.evidence}});
  }
  return {{"status", diagnose::validity_name(validity.status)},
          {"reasons", std::move(reasons)},
          {"checks", std::move(checks)}};
}

json verdict_json(const diagnose::Verdict& verdict) {
  json out = {{"label", verdict.label},
              {"conclusion", verdict.conclusion},
              {"bottleneck", nullptr},
              {"what_if", nullptr}};
  if (!verdict.bottleneck) return out;
  const diagnose::Finding& cause = *verdict.bottleneck;
  out["bottleneck"] = {{"cause", cause.cause},
                       {"layer", cause.layer},
                       {"cost_ms", cause.cost_ms},
                       {"confidence", cause.confidence}};
  out["what_if"] = cause.what_if;
  return out;
}

namespace {

json lines_json(const std::vector<diagnose::LedgerLine>& lines, double total_ms) {
  json out = json::array();
  for (const diagnose::LedgerLine& line : lines) {
    json share;
    if (total_ms > 0) share = line.ms / total_ms;
    out.push_back({{"key", line.key},
                   {"layer", line.layer},
                   {"label", line.label},
                   {"ms", line.ms},
                   {"low_ms", line.interval ? json(line.interval->low) : json()},
                   {"high_ms", line.interval ? json(line.interval->high) : json()},
                   {"share", std::move(share)},
                   {"note", line.note},
                   {"evidence", line.evidence}});
  }
  return out;
}

}  // namespace

json ledger_json(const diagnose::Ledger& ledger) {
  return lines_json(ledger.lines, ledger.total_ms);
}

json ledger_over_time_json(const store::RunData& run, const diagnose::Ledger& ledger) {
  json out = json::array();
  for (const diagnose::LedgerSlice& slice : ledger.slices) {
    json one = span(run, slice.window.start_ns, slice.window.end_ns);
    one["requests"] = slice.requests;
    one["total_ms"] = six_digits(slice.total_ms);
    json& ms = one["ms"] = json::object();
    for (const auto& [key, value] : slice.ms) ms[key] = six_digits(value);
    out.push_back(std::move(one));
  }
  return out;
}

json changes_json(const diagnose::Diagnosis& diagnosis) {
  json out = json::array();
  for (const diagnose::Change& change : diagnosis.changes)
    out.push_back({{"measure", change.measure},
                   {"gradual", change.gradual},
                   {"at_s", change.at_s},
                   {"before", change.before},
                   {"after", change.after},
                   {"unit", change.unit},
                   {"sentence", change.sentence},
                   {"evidence", change.evidence}});
  return out;
}

json stages_json(const store::RunData& run, const diagnose::Diagnosis& diagnosis) {
  json out = json::array();
  for (const diagnose::StageDiagnosis& stage : diagnosis.stages) {
    json one = span(run, stage.stage.start_ns, stage.stage.end_ns);
    one["name"] = stage.stage.name;
    one["kind"] = stage_kind_name(stage.stage.kind);
    one["rate"] = stage.rate;
    one["error_rate"] = stage.error_rate;
    one["p95_ms"] = stage.p95 ? json(*stage.p95 * 1e3) : json();
    one["total_ms"] = stage.ledger.total_ms > 0 ? json(stage.ledger.total_ms) : json();
    one["verdict"] = verdict_json(stage.verdict);
    json& ms = one["ledger"] = json::object();
    for (const diagnose::LedgerLine& line : stage.ledger.lines) ms[line.key] = line.ms;
    out.push_back(std::move(one));
  }
  return out;
}

json endpoint_ledgers_json(const diagnose::Diagnosis& diagnosis) {
  json out = json::array();
  for (const diagnose::EndpointLedger& ledger : diagnosis.endpoints) {
    json ms = json::object();
    for (const diagnose::LedgerLine& line : ledger.lines) ms[line.key] = line.ms;
    out.push_back({{"endpoint", ledger.endpoint},
                   {"requests", ledger.requests},
                   {"total_ms", ledger.total_ms},
                   {"ms", std::move(ms)}});
  }
  return out;
}

json ledger_summary_json(const diagnose::Ledger& ledger) {
  if (ledger.total_ms <= 0)
    return {{"total_ms", nullptr},
            {"unexplained_ms", nullptr},
            {"overlap_ms", nullptr},
            {"closes", nullptr},
            {"note", "There is no response time to split."}};
  return {{"total_ms", ledger.total_ms},
          {"unexplained_ms", ledger.unexplained_ms},
          {"overlap_ms", ledger.overlap_ms},
          {"closes", 1 - ledger.unexplained_ms / ledger.total_ms},
          {"note", ledger.note}};
}

json matrix_json(const diagnose::Diagnosis& diagnosis) {
  json out = json::array();
  for (const diagnose::MatrixRow& row : diagnosis.matrix)
    out.push_back({{"component", row.component},
                   {"metric", row.metric},
                   {"test", row.test},
                   {"expected", row.expected},
                   {"actual", row.actual},
                   {"cost_ms", or_null(row.cost_ms)},
                   {"bottleneck", row.state == diagnose::RowState::kBottleneck},
                   {"state", diagnose::row_state_name(row.state)},
                   {"evidence", row.evidence}});
  return out;
}

json findings_json(const diagnose::Diagnosis& diagnosis) {
  json out = json::array();
  for (const diagnose::Finding& finding : diagnosis.findings) {
    json because_of;
    if (!finding.because_of.empty()) because_of = finding.because_of;
    json after;
    if (!finding.after.empty()) after = finding.after;
    out.push_back({{"cause", finding.cause},
                   {"layer", finding.layer},
                   {"cost_ms", finding.cost_ms},
                   {"confidence", finding.confidence},
                   {"says", finding.says},
                   {"what_if", finding.what_if},
                   {"latency_without_ms", finding.latency_without_ms},
                   {"throughput_bound", or_null(finding.throughput_bound)},
                   {"check", finding.check},
                   {"advice", finding.advice},
                   {"evidence", finding.evidence},
                   {"because_of", std::move(because_of)},
                   {"after", std::move(after)}});
  }
  return out;
}

namespace {

json estimate_json(const diagnose::Estimate& estimate) {
  return {{"value", six_digits(estimate.value)},
          {"low", six_digits(estimate.interval.low)},
          {"high", six_digits(estimate.interval.high)}};
}

json law_json(const diagnose::UslFit& law) {
  json points = json::array();
  for (const diagnose::LoadPoint& point : law.points)
    points.push_back({six_digits(point.in_flight), six_digits(point.rate)});
  return {{"lambda", estimate_json(law.lambda)},
          {"sigma", estimate_json(law.sigma)},
          {"kappa", estimate_json(law.kappa)},
          {"peak_rate", estimate_json(law.peak_rate)},
          {"peak_in_flight", law.peak_in_flight ? estimate_json(*law.peak_in_flight) : json()},
          {"knee_in_flight", six_digits(law.knee_in_flight)},
          {"error", six_digits(law.error)},
          {"points", std::move(points)}};
}

}  // namespace

json capacity_model_json(const diagnose::Diagnosis& diagnosis) {
  if (!diagnosis.capacity) return nullptr;
  const diagnose::CapacityModel& model = *diagnosis.capacity;
  json resources = json::array();
  for (const diagnose::ResourceForecast& forecast : model.resources)
    resources.push_back({{"resource", forecast.resource},
                         {"utilisation", six_digits(forecast.utilisation)},
                         {"each_request", six_digits(forecast.each_request)},
                         {"full_at", six_digits(forecast.full_at)},
                         {"extrapolated", forecast.extrapolated}});
  return {{"law", model.law ? law_json(*model.law) : json()},
          {"refused", model.refused.empty() ? json() : json(model.refused)},
          {"highest_rate", six_digits(model.highest_rate)},
          {"resources", std::move(resources)}};
}

json slos_json(const diagnose::Diagnosis& diagnosis) {
  json out = json::array();
  for (const diagnose::SloResult& slo : diagnosis.slos)
    out.push_back({{"endpoint", slo.endpoint},
                   {"metric", slo.metric},
                   {"limit", slo.limit},
                   {"actual", or_null(slo.actual)},
                   {"margin", or_null(slo.margin)},
                   {"at_least", slo.at_least},
                   {"met", slo.met},
                   {"sentence", slo.sentence},
                   {"evidence", slo.evidence}});
  return out;
}

json facts_json(const store::RunData& run, const facts::FactSet& facts) {
  json out = json::array();
  for (const facts::Fact& fact : facts.list()) {
    json labels = json::object();
    for (const auto& [name, value] : fact.labels) labels[name] = value;
    out.push_back({{"id", fact.id},
                   {"name", fact.name},
                   {"value", fact.value},
                   {"unit", fact.unit},
                   {"labels", std::move(labels)},
                   {"window", span(run, fact.start_ns, fact.end_ns)},
                   {"source", fact.source},
                   {"help", fact.help}});
  }
  return out;
}

}  // namespace plumb::report
