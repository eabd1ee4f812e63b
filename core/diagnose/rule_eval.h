// Holds rules against facts.
#ifndef PLUMB_CORE_DIAGNOSE_RULE_EVAL_H_
#define PLUMB_CORE_DIAGNOSE_RULE_EVAL_H_

#include <vector>

#include "core/diagnose/diagnosis.h"
#include "core/diagnose/rule.h"

namespace plumb::diagnose {

struct RuleOutcome {
  std::vector<Finding> findings;   // those that matched, in the order of the rules
  std::vector<MatrixRow> matrix;   // of every rule whose layer was watched
  std::vector<std::string> notes;  // rules that could not be held against the facts, and why
};

// A rule whose facts are missing is silent; where it says so, its row is shown as unknown as long
// as others of its facts are there. For a rule with for_each the item that costs most speaks. What
// an SLO of the whole load limits is expected of the row that shows it. Conditions and costs see
// ledger.total without so many seconds of each request, as if they were gone; texts tell it whole.
RuleOutcome apply_rules(const std::vector<Rule>& rules, const store::RunData& run,
                        const facts::FactSet& facts, const std::vector<SloResult>& slos = {},
                        double without = 0);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_RULE_EVAL_H_
