#include "core/diagnose/rule_eval.h"

#include <muParser.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/number_text.h"
#include "core/diagnose/table_text.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

// The names of one rule, bound for one label set.
struct Scope {
  std::map<std::string, double> numbers;
  std::vector<TemplateValue> texts;
  std::vector<std::string> evidence;
};

Result<double> evaluate(const std::string& expression, Scope& scope) {
  try {
    mu::Parser parser;
    for (auto& [name, value] : scope.numbers) parser.DefineVar(name, &value);
    parser.SetExpr(expression);
    return parser.Eval();
  } catch (const mu::Parser::exception_type& e) {
    return Status::invalid_argument("'" + expression + "': " + e.GetMsg());
  }
}

class RuleRun {
 public:
  RuleRun(const Rule& rule, TableTexts& tables, const FactSet& facts, RuleOutcome& out)
      : rule_(rule), tables_(tables), facts_(facts), out_(out) {}

  void apply() {
    if (rule_.for_each.empty()) {
      try_item({});
    } else {
      for (const Fact* item : facts_.all(rule_.for_each)) try_item(item->labels);
    }
    if (best_finding_) out_.findings.push_back(std::move(*best_finding_));
    if (best_row_) out_.matrix.push_back(std::move(*best_row_));
  }

 private:
  // False when a fact is missing, which is no error, or an expression is wrong, which is noted.
  bool bind(const Labels& item, Scope& scope) {
    for (const auto& [name, value] : item) scope.texts.push_back({name, value});
    for (const FactBinding& binding : rule_.let) {
      const Fact* fact = facts_.find(binding.fact, binding.same ? item : binding.labels);
      if (fact == nullptr && !binding.fallback) return false;
      const double value = fact ? fact->value : *binding.fallback;
      scope.numbers[binding.name] = value;
      scope.texts.push_back({binding.name, told_value(value, fact ? fact->unit : "1")});
      if (fact != nullptr) scope.evidence.push_back(fact->id);
    }
    for (const Definition& definition : rule_.define) {
      const Result<double> value = evaluate(definition.expression, scope);
      if (!value.is_ok()) return note("define." + definition.name, value.status());
      scope.numbers[definition.name] = *value;
      scope.texts.push_back({definition.name, told_value(*value, definition.unit)});
    }
    for (const TextBinding& binding : rule_.text)
      scope.texts.push_back({binding.name, table_text(binding, scope)});
    return true;
  }

  std::string table_text(const TextBinding& binding, const Scope& scope) {
    std::vector<CellCondition> where;
    for (const auto& [column, pattern] : binding.where)
      where.push_back({column, fill_template(pattern, scope.texts)});
    return tables_.find(binding.table, binding.column, where, binding.fallback);
  }

  bool note(const std::string& where, const Status& why) {
    if (!noted_)
      out_.notes.push_back("rule " + rule_.id + " (" + rule_.origin + ") cannot be used: " + where +
                           ": " + why.message());
    noted_ = true;
    return false;
  }

  void try_item(const Labels& item) {
    Scope scope;
    if (!bind(item, scope)) return;
    bool matched = false;
    double cost = 0;
    if (!rule_.when.empty()) {
      const Result<double> when = evaluate(rule_.when, scope);
      const Result<double> costs = evaluate(rule_.cost, scope);
      if (!when.is_ok()) return (void)note("when", when.status());
      if (!costs.is_ok()) return (void)note("cost", costs.status());
      matched = *when != 0 && std::isfinite(*when);
      cost = std::isfinite(*costs) ? std::max(0.0, *costs) : 0;
      scope.texts.push_back({"cost", seconds_text(cost)});
    }
    if (matched && (!best_finding_ || cost * 1e3 > best_finding_->cost_ms))
      best_finding_ = finding(scope, cost);
    if (rule_.matrix) keep_row(scope, matched, cost);
  }

  Finding finding(const Scope& scope, double cost) const {
    Finding out;
    out.cause = rule_.id;
    out.layer = rule_.layer;
    out.cost_ms = cost * 1e3;
    out.confidence = rule_.confidence;
    out.says = fill_template(rule_.says, scope.texts);
    out.check = fill_template(rule_.check, scope.texts);
    for (const std::string& line : rule_.advice)
      out.advice.push_back(fill_template(line, scope.texts));
    out.evidence = scope.evidence;
    return out;
  }

  void keep_row(Scope& scope, bool matched, double cost) {
    MatrixRow row;
    row.component = fill_template(rule_.matrix->component, scope.texts);
    row.metric = fill_template(rule_.matrix->metric, scope.texts);
    row.test = rule_.id;
    row.expected = fill_template(rule_.matrix->expected, scope.texts);
    row.actual = fill_template(rule_.matrix->actual, scope.texts);
    row.bottleneck = matched;
    row.evidence = scope.evidence;
    double row_cost = cost;
    if (!rule_.matrix->cost.empty()) {
      const Result<double> value = evaluate(rule_.matrix->cost, scope);
      if (!value.is_ok()) return (void)note("matrix.cost", value.status());
      row_cost = *value;
      row.cost_ms = row_cost * 1e3;
    } else if (!rule_.when.empty()) {
      row.cost_ms = cost * 1e3;
    }
    const bool better = !best_row_ || (matched && !best_row_->bottleneck) ||
                        (matched == best_row_->bottleneck && row_cost > best_row_cost_);
    if (!better) return;
    best_row_ = std::move(row);
    best_row_cost_ = row_cost;
  }

  const Rule& rule_;
  TableTexts& tables_;
  const FactSet& facts_;
  RuleOutcome& out_;
  std::optional<Finding> best_finding_;
  std::optional<MatrixRow> best_row_;
  double best_row_cost_ = 0;
  bool noted_ = false;
};

}  // namespace

std::string fill_template(const std::string& pattern, const std::vector<TemplateValue>& values) {
  std::string out;
  size_t at = 0;
  while (at < pattern.size()) {
    const size_t open = pattern.find('{', at);
    const size_t close = open == std::string::npos ? open : pattern.find('}', open);
    if (close == std::string::npos) break;
    out.append(pattern, at, open - at);
    const std::string name = pattern.substr(open + 1, close - open - 1);
    const auto found = std::find_if(values.begin(), values.end(),
                                    [&](const TemplateValue& v) { return v.name == name; });
    out += found == values.end() ? "{" + name + "}" : found->text;
    at = close + 1;
  }
  return out.append(pattern, at);
}

RuleOutcome apply_rules(const std::vector<Rule>& rules, const store::RunData& run,
                        const FactSet& facts) {
  RuleOutcome out;
  TableTexts tables(run);
  for (const Rule& rule : rules) RuleRun(rule, tables, facts, out).apply();
  return out;
}

}  // namespace plumb::diagnose
