#include "core/report/plain_text.h"
#include "core/report/sections.h"
#include "core/report/trend.h"

namespace plumb::report {
namespace {

using nlohmann::json;

json nothing_or(const std::string& text) { return text.empty() ? json() : json(text); }

json history_run(const compare::HistoryRun& run) {
  return {{"id", run.id},
          {"started_unix_ms", run.started_unix_ms},
          {"valid", run.valid},
          {"verdict", nothing_or(run.verdict)},
          {"cause", nothing_or(run.cause)},
          {"p50_s", or_null(run.p50_s)},
          {"p95_s", or_null(run.p95_s)},
          {"p99_s", or_null(run.p99_s)},
          {"rate", or_null(run.rate)},
          {"error_rate", or_null(run.error_rate)}};
}

json trend_change(const compare::TrendChange& change) {
  return {{"metric", change.metric},
          {"run", change.run},
          {"index", change.index},
          {"before", six_digits(change.before)},
          {"after", six_digits(change.after)},
          {"worse", change.worse},
          {"p", six_digits(change.p)}};
}

}  // namespace

json trend_json(const compare::Trend& trend) {
  json runs = json::array();
  for (const compare::HistoryRun& run : trend.runs) runs.push_back(history_run(run));
  json changes = json::array();
  for (const compare::TrendChange& change : trend.changes) changes.push_back(trend_change(change));
  return valid_document({{"trend_version", kTrendVersion},
                         {"plumb_version", PLUMB_VERSION},
                         {"plan", trend.plan},
                         {"conclusion", trend.conclusion},
                         {"valid_runs", trend.valid},
                         {"changes", std::move(changes)},
                         {"runs", std::move(runs)}});
}

}  // namespace plumb::report
