// How a service came through a burst of load.
#ifndef PLUMB_CORE_FACTS_RECOVERY_H_
#define PLUMB_CORE_FACTS_RECOVERY_H_

#include "core/facts/facts.h"

namespace plumb::facts {

// Adds for each spike that steady load came before, labelled by its stage:
//   spike.base_p95      seconds, of the steady stages before it
//   spike.p95           seconds, during it
//   spike.recovery      seconds from its end until p95 and the share of failures stay near what
//                       they were before, for three intervals; absent when that was not seen
//   spike.recovered     1 or 0
// and where steady load as before it followed, and the later half of that is not near either:
//   spike.unrecovered   seconds of that load
//   spike.later_p95, spike.later_error_rate   of its later half
// from the recorded intervals of a second each.
void add_recovery(const store::RunData& run, FactSet& facts);

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_RECOVERY_H_
