// What a finding is worth: the latency and the throughput without it.
#ifndef PLUMB_CORE_DIAGNOSE_WHAT_IF_H_
#define PLUMB_CORE_DIAGNOSE_WHAT_IF_H_

#include "core/diagnose/diagnosis.h"
#include "core/diagnose/rule.h"

namespace plumb::diagnose {

// Fills what_if, latency_without_ms and throughput_bound of the finding. The bound is that of the
// resource that is full first when those that the finding frees are not: the processors, the quota,
// a pool, the one busy thread, or a serial resource that a plugin declared.
void add_what_if(Finding& finding, const Freed& frees, const Ledger& ledger,
                 const facts::FactSet& facts);

// Whether `frees` of a rule may hold this besides the names of series.
bool is_resource_key(std::string_view key);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_WHAT_IF_H_
