// Holds the plan's service level objectives against the facts.
#ifndef PLUMB_CORE_DIAGNOSE_SLO_H_
#define PLUMB_CORE_DIAGNOSE_SLO_H_

#include <vector>

#include "core/diagnose/diagnosis.h"

namespace plumb::diagnose {

// The objectives kept in the run's plan under `slos`: a list of
// {"endpoint", "metric", "limit", "written"}. One that cannot be evaluated is breached, and a load
// that aborted itself has breached the limit it names.
std::vector<SloResult> check_slos(const store::RunData& run, const facts::FactSet& facts);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_SLO_H_
