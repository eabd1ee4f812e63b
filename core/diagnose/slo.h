// Holds the plan's service level objectives against the facts.
#ifndef PLUMB_CORE_DIAGNOSE_SLO_H_
#define PLUMB_CORE_DIAGNOSE_SLO_H_

#include <string>
#include <vector>

#include "core/diagnose/diagnosis.h"
#include "core/diagnose/rule_check.h"

namespace plumb::diagnose {

// The objectives kept in the run's plan under `slos`: a list of
// {"endpoint", "metric", "limit", "written"}. One that cannot be evaluated is breached, and a load
// that aborted itself has breached the limit it names.
std::vector<SloResult> check_slos(const store::RunData& run, const facts::FactSet& facts);

// Why an objective about a fact could never be met, as a sentence: no run has the fact, or it is in
// another unit than the limit. Empty when nothing is wrong.
std::string objective_problem(const std::string& fact, const std::string& limit_unit,
                              const std::string& written, const FactCatalog& catalog);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_SLO_H_
