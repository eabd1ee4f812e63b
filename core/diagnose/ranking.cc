#include "core/diagnose/ranking.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "core/diagnose/rule_eval.h"
#include "core/diagnose/validity.h"
#include "core/diagnose/what_if.h"

namespace plumb::diagnose {
namespace {

// What is left once the first findings are gone is not looked through below this.
constexpr double kLeastLeftMs = 2;

// Of two rules for one cause, such as one for each plugin that sees it, the costlier speaks.
void keep_one_of_each(std::vector<Finding>& findings) {
  std::set<std::string> seen;
  std::erase_if(findings, [&](const Finding& f) { return !seen.insert(f.cause).second; });
}

// Marks what others explain, by the rules that say they outrank it.
void explain_by_others(std::vector<Finding>& findings, const std::vector<Rule>& rules,
                       bool (*may_be_explained)(const Finding&)) {
  const auto matched = [&](const std::string& cause) {
    return std::find_if(findings.begin(), findings.end(),
                        [&](const Finding& f) { return f.cause == cause; });
  };
  for (const Rule& rule : rules) {
    const auto explaining = matched(rule.id);
    if (explaining == findings.end()) continue;
    for (const std::string& other : rule.outranks) {
      const auto explained = matched(other);
      if (explained == findings.end() || !explained->because_of.empty()) continue;
      if (!may_be_explained(*explained)) continue;
      if (explaining->because_of != other) explained->because_of = rule.id;
    }
  }
}

void sort_by_worth(std::vector<Finding>& findings, double failed) {
  const auto key = [&](const Finding& f) {
    return std::tuple(failed > kWarningFailed && f.explains_errors, f.cost_ms,
                      f.headroom_lost.value_or(0));
  };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const Finding& a, const Finding& b) { return key(a) > key(b); });
  keep_one_of_each(findings);
}

bool is_own_cause(const Finding& finding) { return finding.because_of.empty(); }
bool is_hidden(const Finding& finding) { return !finding.after.empty(); }

// Seconds of each request that the causes found so far cost.
double cost_of_causes(const std::vector<Finding>& findings) {
  double ms = 0;
  for (const Finding& finding : findings)
    if (is_own_cause(finding)) ms += finding.cost_ms;
  return ms / 1e3;
}

// One cause that makes requests slow hides another that takes a smaller part of them: the rules are
// held against the facts again, with a response time that lacks what the first ones cost.
void add_hidden(std::vector<Finding>& findings, const Judged& judged, const Ledger& ledger) {
  const double known = cost_of_causes(findings);
  if (known <= 0 || ledger.total_ms - known * 1e3 < kLeastLeftMs) return;
  std::vector<Finding> left =
      apply_rules(judged.rules, judged.run, judged.facts, {}, known).findings;
  std::erase_if(left, [&](const Finding& f) {
    return f.cost_ms <= 0 || std::any_of(findings.begin(), findings.end(),
                                         [&](const Finding& k) { return k.cause == f.cause; });
  });
  sort_by_worth(left, 0);
  for (Finding& finding : left) {
    finding.after = findings.front().cause;
    finding.after_ms = known * 1e3;
    findings.push_back(std::move(finding));
  }
  // What is both hidden by others and explained by them is no news.
  explain_by_others(findings, judged.rules, is_hidden);
  std::erase_if(findings, [](const Finding& f) { return is_hidden(f) && !is_own_cause(f); });
}

double doubt(const Ledger& ledger, const Validity& validity) {
  double doubt = 0;
  if (ledger.total_ms > 0 && ledger.unexplained_ms > kUnexplainedDoubt * ledger.total_ms)
    doubt += 0.2;
  if (ledger.total_ms > 0 && ledger.overlap_ms > kUnexplainedDoubt * ledger.total_ms) doubt += 0.1;
  for (const ValidityCheck& check : validity.checks)
    if (!check.passed && !check.fatal) doubt += 0.1;
  return doubt;
}

bool most_failed(const Validity& validity) {
  return std::any_of(validity.checks.begin(), validity.checks.end(),
                     [](const ValidityCheck& c) { return c.name == kSomeSucceeded && !c.passed; });
}

Freed freed_by(const std::string& cause, const std::vector<Rule>& rules) {
  for (const Rule& rule : rules)
    if (rule.id == cause && !rule.frees.empty()) return rule.frees;
  return {};
}

}  // namespace

std::vector<Finding> ranked(std::vector<Finding> matched, const Judged& judged,
                            const Ledger& ledger, const Validity& validity) {
  std::vector<Finding> out = std::move(matched);
  sort_by_worth(out, judged.facts.value_or("requests.error_rate", 0));
  explain_by_others(out, judged.rules, is_own_cause);
  if (!most_failed(validity)) add_hidden(out, judged, ledger);
  std::stable_partition(out.begin(), out.end(), is_own_cause);
  const double less = doubt(ledger, validity);
  Freed by_known;  // what is hidden comes after all that hide it, and is judged without them
  for (Finding& finding : out) {
    finding.confidence = std::clamp(finding.confidence - less, 0.1, 1.0);
    Freed freed = freed_by(finding.cause, judged.rules);
    if (is_hidden(finding))
      freed.insert(freed.end(), by_known.begin(), by_known.end());
    else if (is_own_cause(finding))
      by_known.insert(by_known.end(), freed.begin(), freed.end());
    add_what_if(finding, freed, ledger, judged.facts);
  }
  return out;
}

}  // namespace plumb::diagnose
