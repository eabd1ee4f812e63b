// What plumb tells scripts through its exit code. Public: never renumbered.
#ifndef PLUMB_CORE_SESSION_EXIT_CODE_H_
#define PLUMB_CORE_SESSION_EXIT_CODE_H_

#include <nlohmann/json.hpp>

namespace plumb::session {

enum class ExitCode {
  kPassed = 0,
  kFailed = 1,  // plumb could not do what it was asked
  kUsage = 2,   // the command line or the plan is wrong
  kSloBreached = 3,
  kRegressed = 4,
  kNotValid = 5  // the run cannot be trusted as a measurement
};

// Of a report.json. A run that is not valid comes first: its SLOs were not measured either. A run
// that was interrupted, or has no verdict, is not valid.
ExitCode exit_code_of(const nlohmann::json& report);

// Of a comparison: kRegressed when the client sees a regression, kNotValid when nothing could be
// compared: a gate that could not be evaluated is not passed.
ExitCode exit_code_of_comparison(const nlohmann::json& comparison);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_EXIT_CODE_H_
