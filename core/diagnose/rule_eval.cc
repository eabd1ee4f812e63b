#include "core/diagnose/rule_eval.h"

#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/diagnose/expression.h"
#include "core/diagnose/rule_template.h"
#include "core/diagnose/table_text.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

// The names of one rule, bound for one label set.
struct Scope {
  Numbers numbers;
  std::vector<TemplateValue> texts;
  std::vector<std::string> evidence;
  bool complete = true;  // every fact is there
  bool watched = false;  // a plugin has said something that the rule reads
};

// What the core derives from the load is there whatever is watched.
bool comes_from_a_layer(const Fact& fact) {
  return fact.source != "ledger" && fact.source != "validity" && fact.source != "capacity" &&
         fact.source != "http_load" && fact.source != "engine";
}

// What is told of a rule's match.
struct Match {
  bool matched = false;
  double cost = 0;  // seconds of each request
  std::optional<double> headroom;
};

// Whether `a` is worth telling before `b`.
bool is_worse(const Finding& a, const Finding& b) {
  if (a.cost_ms != b.cost_ms) return a.cost_ms > b.cost_ms;
  return a.headroom_lost.value_or(0) > b.headroom_lost.value_or(0);
}

class RuleRun {
 public:
  RuleRun(const Rule& rule, const nlohmann::json& plan, TableTexts& tables, const FactSet& facts,
          const std::vector<SloResult>& slos, double without, RuleOutcome& out)
      : rule_(rule),
        plan_(plan),
        tables_(tables),
        facts_(facts),
        slos_(slos),
        without_(without),
        out_(out) {}

  void apply() {
    if (rule_.for_each.empty()) {
      try_item({});
    } else {
      for (const Fact* item : facts_.all(rule_.for_each))
        if (!is_excepted(item->labels)) try_item(item->labels);
    }
    if (best_finding_) out_.findings.push_back(std::move(*best_finding_));
    if (best_row_) out_.matrix.push_back(std::move(*best_row_));
  }

 private:
  bool is_excepted(const Labels& item) const {
    return std::any_of(rule_.except.begin(), rule_.except.end(), [&](const auto& except) {
      const auto& [label, values] = except;
      return std::ranges::find(values, label_of(item, label)) != values.end();
    });
  }

  // False when an expression is wrong, which is noted.
  bool bind(const Labels& item, Scope& scope) {
    for (const auto& [name, value] : item) scope.texts.push_back({name, value});
    for (const FactBinding& binding : rule_.let) bind_number(binding, item, scope);
    if (!scope.complete) return true;
    for (const Definition& definition : rule_.define) {
      const Result<double> value = Expression(definition.expression, scope.numbers).value();
      if (!value.is_ok()) return note("define." + definition.name, value.status());
      scope.numbers[definition.name] = *value;
      scope.texts.push_back({definition.name, told_value(*value, definition.unit)});
    }
    for (const TextBinding& binding : rule_.text)
      scope.texts.push_back({binding.name, text_of(binding, scope)});
    return true;
  }

  void bind_number(const FactBinding& binding, const Labels& item, Scope& scope) {
    std::optional<double> value;
    std::string unit = "1";
    if (!binding.table.empty()) {
      if (const auto rows = tables_.count(binding.table, conditions(binding.where, scope)))
        value = static_cast<double>(*rows);
    } else if (const Fact* fact = facts_.find(binding.fact, binding.same ? item : binding.labels)) {
      value = fact->value;
      unit = fact->unit;
      scope.evidence.push_back(fact->id);
      scope.watched = scope.watched || comes_from_a_layer(*fact);
    }
    if (!value) value = binding.fallback;
    if (!value) {
      scope.complete = false;
      return;
    }
    const bool lessened = binding.fact == "ledger.total" && binding.table.empty();
    scope.numbers[binding.name] = lessened ? std::max(0.0, *value - without_) : *value;
    scope.texts.push_back({binding.name, told_value(*value, unit)});
  }

  static std::vector<CellCondition> conditions(const RowConditions& where, const Scope& scope) {
    std::vector<CellCondition> out;
    for (const auto& [column, pattern] : where)
      out.push_back({column, fill_template(pattern, scope.texts)});
    return out;
  }

  std::string text_of(const TextBinding& binding, const Scope& scope) {
    if (!binding.plan.empty()) return plan_text(binding.plan).value_or(binding.fallback);
    const std::vector<CellCondition> where = conditions(binding.where, scope);
    return binding.all ? tables_.find_all(binding.table, binding.column, where, binding.fallback)
                       : tables_.find(binding.table, binding.column, where, binding.fallback);
  }

  std::optional<std::string> plan_text(std::string key) const {
    std::replace(key.begin(), key.end(), '.', '/');
    const nlohmann::json& plan = plan_;
    const nlohmann::json::json_pointer at("/" + key);
    if (!plan.contains(at)) return std::nullopt;
    const nlohmann::json& value = plan[at];
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  bool note(const std::string& where, const Status& why) {
    if (!noted_)
      out_.notes.push_back("rule " + rule_.id + " (" + rule_.origin + ") cannot be used: " + where +
                           ": " + why.message());
    noted_ = true;
    return false;
  }

  // The expression's value, or `fallback` for an empty one; nothing where it is wrong.
  std::optional<double> value_of(const std::string& where, const std::string& expression,
                                 double fallback, Scope& scope) {
    if (expression.empty()) return fallback;
    const Result<double> value = Expression(expression, scope.numbers).value();
    if (value.is_ok()) return *value;
    note(where, value.status());
    return std::nullopt;
  }

  void try_item(const Labels& item) {
    Scope scope;
    if (!bind(item, scope)) return;
    if (!scope.complete) {
      if (rule_.matrix && rule_.matrix->or_unknown && scope.watched) keep_unknown_row(scope);
      return;
    }
    const std::optional<Match> match = match_of(scope);
    if (!match) return;
    scope.texts.push_back({"cost", seconds_text(match->cost)});
    if (match->matched) {
      Finding found = finding(scope, *match);
      if (!best_finding_ || is_worse(found, *best_finding_)) best_finding_ = std::move(found);
    }
    if (rule_.matrix) keep_row(scope, *match);
  }

  std::optional<Match> match_of(Scope& scope) {
    Match out;
    if (rule_.when.empty()) return out;
    const auto when = value_of("when", rule_.when, 0, scope);
    const auto cost = value_of("cost", rule_.cost, 0, scope);
    if (!when || !cost) return std::nullopt;
    out.matched = *when != 0 && std::isfinite(*when);
    out.cost = std::isfinite(*cost) ? std::max(0.0, *cost) : 0;
    if (rule_.headroom.empty()) return out;
    const auto headroom = value_of("headroom", rule_.headroom, 0, scope);
    if (!headroom) return std::nullopt;
    out.headroom = std::isfinite(*headroom) ? std::clamp(*headroom, 0.0, 1.0) : 0;
    return out;
  }

  Finding finding(Scope& scope, const Match& match) {
    Finding out;
    out.cause = rule_.id;
    out.layer = rule_.layer;
    out.cost_ms = match.cost * 1e3;
    out.headroom_lost = match.headroom;
    out.explains_errors = rule_.explains_errors;
    out.confidence = rule_.confidence;
    out.says = fill_template(rule_.says, scope.texts);
    out.check = fill_template(rule_.check, scope.texts);
    for (const Advice& advice : rule_.advice)
      if (value_of("advice", advice.when, 1, scope).value_or(0) != 0)
        out.advice.push_back(fill_template(advice.text, scope.texts));
    out.evidence = scope.evidence;
    return out;
  }

  MatrixRow filled_row(const Scope& scope) const {
    MatrixRow row;
    row.component = fill_template(rule_.matrix->component, scope.texts);
    row.metric = fill_template(rule_.matrix->metric, scope.texts);
    row.test = rule_.id;
    row.expected = fill_template(rule_.matrix->expected, scope.texts);
    row.actual = fill_template(rule_.matrix->actual, scope.texts);
    row.evidence = scope.evidence;
    return row;
  }

  void keep_unknown_row(const Scope& scope) {
    best_row_ = filled_row(scope);
    best_row_->actual = "unknown";
    best_row_->state = RowState::kUnknown;
  }

  void keep_row(Scope& scope, const Match& match) {
    MatrixRow row = filled_row(scope);
    const auto exceeded = value_of("matrix.exceeded", rule_.matrix->exceeded, 0, scope);
    const bool told = match.matched && !rule_.cost.empty();
    const auto cost = told ? std::optional<double>(match.cost)
                           : value_of("matrix.cost", rule_.matrix->cost, match.cost, scope);
    if (!exceeded || !cost) return;
    if (match.matched || *exceeded != 0) row.state = RowState::kExceeded;
    // Within what is expected of any service, and yet too much of this one's time.
    if (match.matched && *exceeded == 0) row.expected = "less";
    // What a cause would cost is nothing that a layer without it costs.
    if (told || !rule_.matrix->cost.empty()) row.cost_ms = *cost * 1e3;
    apply_slo(row);
    const bool better = !best_row_ || (match.matched && !best_row_matched_) ||
                        (match.matched == best_row_matched_ && *cost > best_row_cost_);
    if (!better) return;
    best_row_ = std::move(row);
    best_row_matched_ = match.matched;
    best_row_cost_ = *cost;
  }

  // What was promised of the fact that the row shows goes before what the rule expects.
  void apply_slo(MatrixRow& row) const {
    if (rule_.matrix->of.empty()) return;
    for (const FactBinding& binding : rule_.let)
      if (binding.name == rule_.matrix->of) row.fact = binding.fact;
    for (const SloResult& slo : slos_) {
      if (!slo.endpoint.empty() || slo.fact != row.fact || !slo.actual) continue;
      row.expected = (slo.at_least ? ">= " : "<= ") + slo.limit;
      row.state = slo.met ? RowState::kOk : RowState::kExceeded;
      return;
    }
    row.fact.clear();
  }

  const Rule& rule_;
  const nlohmann::json& plan_;
  TableTexts& tables_;
  const FactSet& facts_;
  const std::vector<SloResult>& slos_;
  const double without_;  // seconds of each request
  RuleOutcome& out_;
  std::optional<Finding> best_finding_;
  std::optional<MatrixRow> best_row_;
  bool best_row_matched_ = false;
  double best_row_cost_ = 0;
  bool noted_ = false;
};

}  // namespace

RuleOutcome apply_rules(const std::vector<Rule>& rules, const store::RunData& run,
                        const FactSet& facts, const std::vector<SloResult>& slos, double without) {
  RuleOutcome out;
  TableTexts tables(run);
  for (const Rule& rule : rules)
    RuleRun(rule, run.header.plan, tables, facts, slos, without, out).apply();
  return out;
}

}  // namespace plumb::diagnose
