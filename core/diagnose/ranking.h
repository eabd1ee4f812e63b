// In which order findings are told, which of them follow from others, and what each is worth.
#ifndef PLUMB_CORE_DIAGNOSE_RANKING_H_
#define PLUMB_CORE_DIAGNOSE_RANKING_H_

#include <vector>

#include "core/diagnose/diagnosis.h"
#include "core/diagnose/rule.h"

namespace plumb::diagnose {

inline constexpr double kWarningFailed = 0.01;  // of the requests: from there on it is worth a word
inline constexpr double kUnexplainedDoubt = 0.2;  // of the time: lowers confidence

// What the rules are held against.
struct Judged {
  const store::RunData& run;
  const facts::FactSet& facts;
  const std::vector<Rule>& rules;
};

// What matched: why requests fail first where many do, then by cost, then by headroom. After them
// what stands out only once these are gone (`after`), and last what others explain (`because_of`).
std::vector<Finding> ranked(std::vector<Finding> matched, const Judged& judged,
                            const Ledger& ledger, const Validity& validity);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_RANKING_H_
