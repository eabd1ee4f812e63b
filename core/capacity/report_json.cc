#include "core/capacity/report.h"

namespace plumb::capacity {
namespace {

using nlohmann::json;

json json_or_null(const std::optional<double>& value) { return value ? json(*value) : json(); }
json rate_or_null(double rate) { return rate > 0 ? json(rate) : json(); }

json json_of(const Probe& probe) {
  json out = {{"rate", probe.rate},
              {"measure_s", probe.measure_s},
              {"verdict", verdict_name(probe.verdict)},
              {"offered", probe.offered},
              {"completed", probe.completed},
              {"answered", probe.answered},
              {"error_rate", probe.error_rate},
              {"p50_s", json_or_null(probe.p50_s)},
              {"p95_s", json_or_null(probe.p95_s)},
              {"p99_s", json_or_null(probe.p99_s)},
              {"lag_p99_s", json_or_null(probe.lag_p99_s)},
              {"behind", probe.behind},
              {"hiccup", probe.hiccup},
              {"clause", probe.clause},
              {"why", probe.why}};
  if (!probe.run_id.empty()) out["run"] = probe.run_id;
  return out;
}

json json_of(const std::vector<Probe>& probes) {
  json out = json::array();
  for (const Probe& probe : probes) out.push_back(json_of(probe));
  return out;
}

json json_of(const std::vector<plan::Slo>& promises) {
  json out = json::array();
  for (const plan::Slo& slo : promises)
    out.push_back({{"endpoint", slo.endpoint},
                   {"metric", slo.metric},
                   {"limit", slo.limit},
                   {"written", slo.written},
                   {"at_least", slo.at_least}});
  return out;
}

json json_of(const StressResult& stress) {
  json out = {{"peak", rate_or_null(stress.peak)},
              {"peak_at", rate_or_null(stress.peak_at)},
              {"breaking", breaking_name(stress.breaking)},
              {"broke_at", rate_or_null(stress.broke_at)},
              {"recovery", nullptr},
              {"probes", json_of(stress.probes)}};
  if (stress.recovery)
    out["recovery"] = {{"recovered", stress.recovery->recovered},
                       {"seconds", stress.recovery->seconds},
                       {"rate", stress.recovery_rate}};
  if (!stress.failure.is_ok()) out["failure"] = stress.failure.message();
  return out;
}

}  // namespace

session::ExitCode exit_code_of(const SearchResult& result) {
  if (result.ended == Ended::kFailed) return session::ExitCode::kFailed;
  if (result.ended == Ended::kInterrupted) return session::ExitCode::kNotValid;
  switch (result.outcome) {
    case Outcome::kCapacity:
      return session::ExitCode::kPassed;
    case Outcome::kNever:
      return session::ExitCode::kSloBreached;
    case Outcome::kAtLeast:
    case Outcome::kUnknown:
      return session::ExitCode::kNotValid;
  }
  return session::ExitCode::kNotValid;
}

json to_json(const Report& report) {
  const SearchResult& search = report.search;
  json out = {{"schema_version", 1},
              {"id", report.id},
              {"name", report.name},
              {"url", report.url},
              {"started_unix_ms", report.started_unix_ms},
              {"outcome", outcome_name(search.outcome)},
              {"ended", ended_name(search.ended)},
              {"exit_code", static_cast<int>(exit_code_of(search))},
              {"capacity", nullptr},
              {"highest_kept", rate_or_null(search.highest_kept)},
              {"lowest_missed", rate_or_null(search.lowest_missed)},
              {"first_to_fail", nullptr},
              {"promises", json_of(report.promises)},
              {"baseline", nullptr},
              {"probes", json_of(search.probes)},
              {"stress", report.stress ? json_of(*report.stress) : json()},
              {"options",
               {{"from", rate_or_null(report.options.from)},
                {"tolerance", report.options.tolerance},
                {"probe_s", rate_or_null(report.options.probe_s)},
                {"most_s", report.options.most_s},
                {"seed", report.options.seed}}},
              {"seconds", search.seconds}};
  if (search.capacity)
    out["capacity"] = {{"rate", search.capacity->rate},
                       {"low", search.capacity->low},
                       {"high", search.capacity->high}};
  if (!search.first_to_fail.empty())
    out["first_to_fail"] = {{"clause", search.first_to_fail}, {"sentence", search.first_sentence}};
  if (search.baseline)
    out["baseline"] = {{"mean_s", search.baseline->mean_s},
                       {"p50_s", search.baseline->p50_s},
                       {"p99_s", search.baseline->p99_s}};
  if (!search.failure.is_ok()) out["failure"] = search.failure.message();
  return out;
}

}  // namespace plumb::capacity
