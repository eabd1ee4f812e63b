// What around the target could have disturbed the measurement: doubts, of which only theft on a
// large scale makes a run invalid.
#ifndef PLUMB_CORE_DIAGNOSE_SURROUNDINGS_H_
#define PLUMB_CORE_DIAGNOSE_SURROUNDINGS_H_

#include <vector>

#include "core/diagnose/diagnosis.h"

namespace plumb::diagnose {

inline constexpr const char* kUndisturbed = "undisturbed";
inline constexpr const char* kHostQuiet = "host-quiet";
// Of all processors: beyond it the layers cannot be told from theft, and no capacity is claimed.
inline constexpr double kTooMuchStolen = 0.25;

// Checks of the window, each only where the signals for it are there:
//   warm-up-over    latency does not fall from the window's beginning on
//   host-quiet      neither the hypervisor nor strangers' programs take the processors; fatal where
//                   the hypervisor takes more than kTooMuchStolen
//   samples-whole   no sampler was silent for long
//   clock-steady    nobody set the wall clock
//   undisturbed     neither the target nor a database ended, was started anew or was replaced
// Adds facts: validity.latency_tau, validity.early_latency (ratio of its first fifth to its later
// part), validity.steal, validity.others, validity.longest_silence by plugin.
std::vector<ValidityCheck> check_surroundings(const store::RunData& run,
                                              const facts::Window& window, facts::FactSet& facts);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_SURROUNDINGS_H_
