#include "core/diagnose/rule_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>
#include <sstream>

#include "core/base/nearest.h"
#include "core/diagnose/expression.h"
#include "core/diagnose/rule_template.h"
#include "core/diagnose/what_if.h"
#include "core/facts/changes.h"
#include "core/facts/derived.h"

namespace plumb::diagnose {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

std::vector<ListedLabel> derived_labels(std::string_view text) {
  std::vector<ListedLabel> out;
  for (std::string& word : words_of(text)) {
    const bool optional = word.ends_with('?');
    if (optional) word.pop_back();
    std::vector<std::string> values;
    if (word == "measure")
      for (const facts::ChangeMeasure& measure : facts::change_measures())
        values.emplace_back(measure.name);
    out.push_back({std::move(word), optional, std::move(values)});
  }
  return out;
}

// The unit of what is bound: of a fact whose unit is that of what it measures, by its label.
std::string_view unit_of(const FactBinding& binding, const KnownFact& fact) {
  if (fact.unit != facts::kOwnUnit) return fact.unit;
  const auto* measure = facts::find_change_measure(label_of(binding.labels, "measure"));
  return measure != nullptr ? measure->unit : "1";
}

std::string per_second(const std::string& unit) { return unit + "/s"; }

// The power of time in a unit.
int time_in(std::string_view unit) {
  int power = 0;
  if (unit.ends_with("/s")) {
    power = -1;
    unit.remove_suffix(2);
  }
  if (unit == "seconds") ++power;
  if (unit == "hertz") --power;
  return power;
}

// A unit that a definition may be held to; "1", the unit of those that say none, may be anything.
bool is_checkable(std::string_view unit) {
  return unit == "seconds" || unit == "ratio" || unit.ends_with("/s");
}

// Numbers for the names of a rule: positive, of many magnitudes.
class Probe {
 public:
  Probe(const Rule& rule, const FactCatalog& catalog) {
    for (const FactBinding& binding : rule.let) {
      const KnownFact* fact = binding.table.empty() ? catalog.find(binding.fact) : nullptr;
      inputs_.push_back({binding.name, time_in(fact != nullptr ? unit_of(binding, *fact) : "1")});
      numbers_[binding.name] = 1;
    }
    for (const Definition& definition : rule.define) {
      definitions_.emplace_back(definition.name, Expression(definition.expression, numbers_));
      numbers_[definition.name] = 1;
    }
  }

  // What an expression is at a random point, and where every time is twice as long.
  struct Values {
    double here = 0;
    double scaled = 0;
  };
  Result<Values> at_random(const Expression& expression) {
    std::uniform_real_distribution<double> magnitude(-3, 3);
    for (Input& input : inputs_) input.value = std::pow(10, magnitude(random_));
    Values out;
    PLUMB_ASSIGN_OR_RETURN(out.here, at(expression, 1));
    PLUMB_ASSIGN_OR_RETURN(out.scaled, at(expression, kLonger));
    return out;
  }

  Numbers& numbers() { return numbers_; }

  static constexpr double kLonger = 2;

 private:
  struct Input {
    std::string name;
    int time = 0;
    double value = 1;
  };

  Result<double> at(const Expression& expression, double longer) {
    for (const Input& input : inputs_)
      numbers_[input.name] = input.value * std::pow(longer, input.time);
    for (const auto& [name, definition] : definitions_) {
      const Result<double> value = definition.value();
      if (!value.is_ok()) return value.status().with_context("define." + name);
      numbers_[name] = *value;
    }
    return expression.value();
  }

  std::vector<Input> inputs_;
  Numbers numbers_;
  std::vector<std::pair<std::string, Expression>> definitions_;
  std::mt19937_64 random_{1};  // the same points each time, so that a check is repeatable
};

class Check {
 public:
  Check(const Rule& rule, const FactCatalog& catalog)
      : rule_(rule), catalog_(catalog), probe_(rule, catalog) {}

  std::vector<RuleProblem> run() {
    facts();
    if (!problems_.empty()) return std::move(problems_);
    units();
    names();
    frees();
    return std::move(problems_);
  }

 private:
  void wrong(const std::string& what) {
    problems_.push_back({"rule " + rule_.id + " (" + rule_.origin + "): " + what});
  }

  const KnownFact* known(const std::string& fact, const std::string& where, bool has_fallback) {
    const KnownFact* found = catalog_.find(fact);
    if (found != nullptr || catalog_.is_open(fact)) return found;
    const std::string near = catalog_.nearest_to(fact);
    wrong(where + " asks for the fact '" + fact + "', which no run has" +
          (near.empty() ? "." : ". Did you mean '" + near + "'?"));
    problems_.back().is_unknown_fact = true;
    problems_.back().has_fallback = has_fallback;
    return nullptr;
  }

  void facts() {
    const KnownFact* item =
        rule_.for_each.empty() ? nullptr : known(rule_.for_each, "for_each", false);
    if (item != nullptr && item->labels.empty())
      wrong("for_each asks for every " + rule_.for_each + ", which has no labels");
    for (const auto& [label, values] : rule_.except)
      if (item != nullptr && find_label(*item, label) == nullptr)
        wrong("for_each.except asks for the label '" + label + "', which " + rule_.for_each +
              " does not have");
    for (const FactBinding& binding : rule_.let) {
      if (!binding.table.empty()) continue;
      const KnownFact* fact =
          known(binding.fact, "let." + binding.name, binding.fallback.has_value());
      if (fact == nullptr) continue;
      if (binding.same)
        same_labels(binding, *fact, item);
      else
        given_labels(binding, *fact);
    }
  }

  static const ListedLabel* find_label(const KnownFact& fact, const std::string& name) {
    for (const ListedLabel& label : fact.labels)
      if (label.name == name) return &label;
    return nullptr;
  }

  void given_labels(const FactBinding& binding, const KnownFact& fact) {
    const std::string where = "let." + binding.name + ": " + binding.fact;
    for (const auto& [name, value] : binding.labels) {
      const ListedLabel* label = find_label(fact, name);
      if (label == nullptr)
        wrong(where + " has no label '" + name + "'");
      else if (!label->values.empty() &&
               std::ranges::find(label->values, value) == label->values.end())
        wrong(where + " has no " + name + " '" + value + "'." + did_you_mean(value, label->values));
    }
    for (const ListedLabel& label : fact.labels) {
      const bool given = std::any_of(binding.labels.begin(), binding.labels.end(),
                                     [&](const auto& l) { return l.first == label.name; });
      if (!given && !label.optional)
        wrong(where + " has the label '" + label.name + "': say which with labels, or same: true");
    }
  }

  void same_labels(const FactBinding& binding, const KnownFact& fact, const KnownFact* item) {
    if (rule_.for_each.empty())
      return wrong("let." + binding.name + " is of the same item, and the rule has no for_each");
    if (item == nullptr) return;
    const auto has_all = [](const KnownFact& one, const KnownFact& other) {
      return std::all_of(one.labels.begin(), one.labels.end(), [&](const ListedLabel& label) {
        return label.optional || find_label(other, label.name) != nullptr;
      });
    };
    if (!has_all(fact, *item) || !has_all(*item, fact))
      wrong("let." + binding.name + ": " + binding.fact + " has other labels than " +
            rule_.for_each + ", so none is of the same item");
  }

  void units() {
    for (const Definition& definition : rule_.define)
      if (is_checkable(definition.unit))
        unit_of("define." + definition.name, definition.name, definition.unit);
    if (!rule_.cost.empty()) unit_of("cost", rule_.cost, "seconds");
    if (!rule_.headroom.empty()) unit_of("headroom", rule_.headroom, "ratio");
    if (rule_.matrix && !rule_.matrix->cost.empty())
      unit_of("matrix.cost", rule_.matrix->cost, "seconds");
    usable("when", rule_.when);
    if (rule_.matrix) usable("matrix.exceeded", rule_.matrix->exceeded);
    for (const Advice& advice : rule_.advice) usable("advice", advice.when);
  }

  void usable(const std::string& where, const std::string& text) {
    if (text.empty() || !problems_.empty()) return;
    const auto value = probe_.at_random(Expression(text, probe_.numbers()));
    if (!value.is_ok()) wrong(where + ": " + value.status().message());
  }

  // A threshold within an expression is of no scale, so a few points may stray; a wrong unit strays
  // at nearly all of them.
  void unit_of(const std::string& where, const std::string& text, const std::string& unit) {
    constexpr int kPoints = 24;
    const double factor = std::pow(Probe::kLonger, time_in(unit));
    const Expression expression(text, probe_.numbers());
    int looked = 0;
    int strayed = 0;
    for (int i = 0; i < kPoints; ++i) {
      const auto values = probe_.at_random(expression);
      if (!values.is_ok()) return wrong(where + ": " + values.status().message());
      if (!std::isfinite(values->here) || !std::isfinite(values->scaled) || values->here == 0)
        continue;
      ++looked;
      const double expected = values->here * factor;
      if (std::fabs(values->scaled - expected) > 1e-6 * std::fabs(expected)) ++strayed;
    }
    if (2 * strayed <= looked) return;
    wrong(where + " is said to be in " + unit +
          ", and is not: with every time that it reads twice as long it is not " +
          (factor == 1  ? "the same"
           : factor > 1 ? "twice as large"
                        : "half as large"));
  }

  // Every {name} of a template is one that the rule knows.
  void names() {
    std::set<std::string> known = {"cost"};
    if (const KnownFact* item = catalog_.find(rule_.for_each))
      for (const ListedLabel& label : item->labels) known.insert(label.name);
    for (const FactBinding& binding : rule_.let) known.insert(binding.name);
    for (const Definition& definition : rule_.define) known.insert(definition.name);
    for (const TextBinding& text : rule_.text) known.insert(text.name);
    if (catalog_.is_open(rule_.for_each)) return;
    const auto look = [&](const std::string& where, const std::string& pattern) {
      const auto on_form = [&](const std::string& form) {
        if (!is_template_form(form)) wrong(where + " asks for the unknown form '!" + form + "'");
      };
      for (const std::string& name : names_in(pattern, on_form))
        if (known.count(name) == 0)
          wrong(where + " tells {" + name + "}, which the rule does not know." +
                did_you_mean(name, std::vector<std::string>(known.begin(), known.end())));
    };
    look("says", rule_.says);
    look("check", rule_.check);
    for (const Advice& advice : rule_.advice) look("advice", advice.text);
    for (const TextBinding& text : rule_.text)
      for (const auto& [column, pattern] : text.where) look("text." + text.name, pattern);
    if (!rule_.matrix) return;
    look("matrix.component", rule_.matrix->component);
    look("matrix.metric", rule_.matrix->metric);
    look("matrix.expected", rule_.matrix->expected);
    look("matrix.actual", rule_.matrix->actual);
    const std::string& of = rule_.matrix->of;
    const bool bound = of.empty() || std::any_of(rule_.let.begin(), rule_.let.end(),
                                                 [&](const auto& b) { return b.name == of; });
    if (!bound) wrong("matrix.of is '" + of + "', which let does not name");
  }

  void frees() {
    for (const std::string& resource : rule_.frees)
      if (!is_resource_key(resource) && !catalog_.has_series(resource))
        wrong("frees '" + resource + "', which is neither a resource nor a series");
  }

  const Rule& rule_;
  const FactCatalog& catalog_;
  Probe probe_;
  std::vector<RuleProblem> problems_;
};

}  // namespace

FactCatalog::FactCatalog(const SignalList& signals) {
  for (const ListedSeries& series : signals) add_series(series);
  for (const ListedSeries& series : engine_signals()) add_series(series);
  add_derived();
}

void FactCatalog::add_series(const ListedSeries& series) {
  if (series.is_family) {
    families_.push_back(series.name);
    return;
  }
  series_.push_back(series.name);
  for (const facts::Statistic& statistic : facts::statistics_of(series.kind)) {
    const std::string unit = statistic.unit == facts::kOwnUnit     ? series.unit
                             : statistic.unit == facts::kPerSecond ? per_second(series.unit)
                                                                   : std::string(statistic.unit);
    facts_[series.name + "." + std::string(statistic.name)] = {unit, series.labels};
  }
  // What it feeds is one line, and a part of it for each set of labels.
  std::vector<ListedLabel> parts = series.labels;
  for (ListedLabel& label : parts) label.optional = true;
  if (!series.ledger_line.empty()) facts_["ledger." + series.ledger_line] = {"seconds", parts};
  if (!series.resource.empty()) facts_["ledger.queue." + series.name] = {"seconds", parts};
}

void FactCatalog::add_derived() {
  for (const facts::DerivedFact& fact : facts::derived_facts()) {
    const KnownFact known{std::string(fact.unit), derived_labels(fact.labels)};
    const std::string name(fact.name);
    const size_t open = name.find('<');
    if (open == std::string::npos) {
      facts_[name] = known;
      continue;
    }
    for (const std::string& word : words_of(fact.family))
      facts_[name.substr(0, open) + word] = known;
  }
}

const KnownFact* FactCatalog::find(const std::string& name) const {
  const auto found = facts_.find(name);
  return found == facts_.end() ? nullptr : &found->second;
}

bool FactCatalog::is_open(const std::string& name) const {
  return std::any_of(families_.begin(), families_.end(),
                     [&](const std::string& family) { return name.starts_with(family); });
}

std::string FactCatalog::nearest_to(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& [known, fact] : facts_) names.push_back(known);
  return nearest(name, names).value_or("");
}

bool FactCatalog::has_series(const std::string& name) const {
  return std::ranges::find(series_, name) != series_.end();
}

std::vector<RuleProblem> check_rule(const Rule& rule, const FactCatalog& catalog) {
  return Check(rule, catalog).run();
}

}  // namespace plumb::diagnose
