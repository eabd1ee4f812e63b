#include "core/compare/comparison_text.h"
#include "core/report/comparison.h"
#include "core/report/plain_text.h"
#include "core/report/sections.h"

namespace plumb::report {
namespace {

using compare::Change;
using nlohmann::json;

json text_or_null(const std::string& text) { return text.empty() ? json() : json(text); }

json rounded(const std::optional<double>& value) {
  return value ? or_null(six_digits(*value)) : json();
}

json compared_run(const compare::ComparedRun& run) {
  return {{"id", run.id},
          {"name", run.name},
          {"started_unix_ms", run.started_unix_ms},
          {"requests", run.requests},
          {"window_s", run.window_s},
          {"block_s", run.block_s},
          {"blocks", run.blocks},
          {"verdict", text_or_null(run.verdict)},
          {"cause", text_or_null(run.cause)}};
}

json change_json(const Change& change) {
  json difference;
  json relative;
  if (change.difference)
    difference = {{"value", *change.difference},
                  {"low", rounded(change.low)},
                  {"high", rounded(change.high)}};
  if (change.relative(change.difference))
    relative = {{"value", rounded(change.relative(change.difference))},
                {"low", rounded(change.relative(change.low))},
                {"high", rounded(change.relative(change.high))}};
  return {{"name", compare::change_name(change)},
          {"metric", change.metric},
          {"subject", text_or_null(change.subject)},
          {"label", text_or_null(change.label)},
          {"layer", text_or_null(change.layer)},
          {"unit", change.unit},
          {"higher_is_better", change.higher_is_better},
          {"base", or_null(change.base)},
          {"run", or_null(change.run)},
          {"difference", std::move(difference)},
          {"relative", std::move(relative)},
          {"p", rounded(change.p)},
          {"q", rounded(change.q)},
          {"verdict", compare::verdict_name(change.verdict)},
          {"reason", text_or_null(change.reason)}};
}

json changes_json(const std::vector<Change>& changes) {
  json out = json::array();
  for (const Change& change : changes) out.push_back(change_json(change));
  return out;
}

json responsible_json(const std::optional<compare::Responsible>& line) {
  if (!line) return nullptr;
  return {{"key", line->key},
          {"layer", line->layer},
          {"label", line->label},
          {"ms", line->ms},
          {"share", line->share}};
}

json explanation_json(const std::optional<compare::Explanation>& explanation) {
  if (!explanation) return nullptr;
  return {{"cause", explanation->cause},
          {"layer", explanation->layer},
          {"says", explanation->says},
          {"base_ms", explanation->base_ms},
          {"run_ms", explanation->run_ms}};
}

json environment_json(const std::vector<compare::EnvironmentDifference>& differences) {
  json out = json::array();
  for (const compare::EnvironmentDifference& difference : differences)
    out.push_back({{"key", difference.key},
                   {"base", text_or_null(difference.base)},
                   {"run", text_or_null(difference.run)},
                   {"weight", compare::weight_name(difference.weight)}});
  return out;
}

}  // namespace

json comparison_json(const compare::Comparison& comparison) {
  json base = json::array();
  for (const compare::ComparedRun& run : comparison.base) base.push_back(compared_run(run));
  return valid_document({{"comparison_version", kComparisonVersion},
                         {"plumb_version", PLUMB_VERSION},
                         {"run", compared_run(comparison.run)},
                         {"base", std::move(base)},
                         {"baseline", text_or_null(comparison.baseline)},
                         {"verdict",
                          {{"label", comparison.label},
                           {"conclusion", comparison.conclusion},
                           {"regressed", comparison.regressed()},
                           {"insufficient", text_or_null(comparison.insufficient.empty()
                                                             ? comparison.undecided
                                                             : comparison.insufficient)}}},
                         {"client", changes_json(comparison.client)},
                         {"ledger",
                          {{"difference_ms", comparison.mean_difference_ms},
                           {"responsible", responsible_json(comparison.responsible)},
                           {"explanation", explanation_json(comparison.explanation)},
                           {"lines", changes_json(comparison.ledger)}}},
                         {"queries", changes_json(comparison.queries)},
                         {"environment", environment_json(comparison.environment)},
                         {"stacks", comparison.has_stacks},
                         {"notes", comparison.notes},
                         {"method",
                          {{"tested", comparison.tested},
                           {"false_share", comparison.options.false_share},
                           {"least_relative", comparison.options.least_relative},
                           {"least_seconds", comparison.options.least_seconds},
                           {"least_error_rate", comparison.options.least_error_rate}}}});
}

}  // namespace plumb::report
