// Holds rules against facts.
#ifndef PLUMB_CORE_DIAGNOSE_RULE_EVAL_H_
#define PLUMB_CORE_DIAGNOSE_RULE_EVAL_H_

#include <vector>

#include "core/diagnose/diagnosis.h"
#include "core/diagnose/rule.h"

namespace plumb::diagnose {

struct RuleOutcome {
  std::vector<Finding> findings;   // those that matched, in the order of the rules
  std::vector<MatrixRow> matrix;   // of every rule whose facts are there
  std::vector<std::string> notes;  // rules that could not be held against the facts, and why
};

// A rule whose facts are missing is silent: that its layer was not watched is told elsewhere. For a
// rule with for_each the item that costs most speaks.
RuleOutcome apply_rules(const std::vector<Rule>& rules, const store::RunData& run,
                        const facts::FactSet& facts);

// Puts {name} and {label} values into a template. Unknown names stay as they are.
struct TemplateValue {
  std::string name;
  std::string text;
};
std::string fill_template(const std::string& pattern, const std::vector<TemplateValue>& values);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_RULE_EVAL_H_
