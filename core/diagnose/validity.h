// Whether the measurement can be trusted, asked before any cause is named.
#ifndef PLUMB_CORE_DIAGNOSE_VALIDITY_H_
#define PLUMB_CORE_DIAGNOSE_VALIDITY_H_

#include "core/diagnose/diagnosis.h"

namespace plumb::diagnose {

// Names of checks that conclusions depend on.
inline constexpr const char* kEnoughRequests = "enough-requests";
inline constexpr const char* kSomeSucceeded = "some-succeeded";

// Checks the load that was delivered. Adds validity.* facts.
Validity check_validity(const store::RunData& run, facts::FactSet& facts);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_VALIDITY_H_
