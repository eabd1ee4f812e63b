// What changed inside a run although the load did not, told with the part of the ledger that moved.
#ifndef PLUMB_CORE_DIAGNOSE_CHANGES_H_
#define PLUMB_CORE_DIAGNOSE_CHANGES_H_

#include <vector>

#include "core/diagnose/diagnosis.h"

namespace plumb::diagnose {

// In the order of their time. Rests on the facts change.* and the slices of `ledger`, which is that
// of the judged window.
std::vector<Change> tell_changes(const store::RunData& run, const facts::FactSet& facts,
                                 const Ledger& ledger);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_CHANGES_H_
