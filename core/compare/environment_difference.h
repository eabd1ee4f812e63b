// What differs between runs beside the service: machine, versions, plan.
#ifndef PLUMB_CORE_COMPARE_ENVIRONMENT_DIFFERENCE_H_
#define PLUMB_CORE_COMPARE_ENVIRONMENT_DIFFERENCE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::compare {

enum class Weight {
  kNote,     // hardly matters to the figures
  kWarning,  // may be the cause of what changed
  kRefused   // the runs measured different things
};
std::string_view weight_name(Weight weight);  // note, warning, refused

struct EnvironmentDifference {
  std::string key;   // environment.processors, plan.load.rate
  std::string base;  // as text; empty: not there
  std::string run;
  Weight weight = Weight::kNote;
};

struct Surroundings {
  const nlohmann::json& plan;         // as the run file keeps it
  const nlohmann::json& environment;  // the same
};

// Sorted: what weighs most first, then by key. Keys that cannot change what is measured (where runs
// are kept, how they are named) are left out.
std::vector<EnvironmentDifference> environment_differences(const Surroundings& base,
                                                           const Surroundings& run);

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_ENVIRONMENT_DIFFERENCE_H_
