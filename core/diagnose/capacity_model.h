// How far a service could go, from one run: the scalability law where the run's load varied, and
// which resource fills up next.
#ifndef PLUMB_CORE_DIAGNOSE_CAPACITY_MODEL_H_
#define PLUMB_CORE_DIAGNOSE_CAPACITY_MODEL_H_

#include <optional>
#include <string>
#include <vector>

#include "core/diagnose/usl.h"
#include "core/facts/facts.h"
#include "core/store/run_file.h"

namespace plumb::diagnose {

// A resource whose use grows with throughput.
struct ResourceForecast {
  std::string resource;       // for people: "the processors"
  double utilisation = 0;     // at the highest throughput seen
  double each_request = 0;    // share of the resource that one request per second takes
  double full_at = 0;         // requests/s at which nothing of it is left
  bool extrapolated = false;  // from one level of load only, assuming that idle it is unused
};

struct CapacityModel {
  std::optional<UslFit> law;
  std::string refused;                      // why there is no law
  double highest_rate = 0;                  // requests/s seen in any slice
  std::vector<ResourceForecast> resources;  // the one that fills up first stands first
};

// Of all stages under load, in slices of a second at least. Adds facts: capacity.peak_rate,
// .lambda, .sigma, .kappa, .peak_in_flight (where there is a law) and capacity.full_at by resource.
CapacityModel model_capacity(const store::RunData& run, facts::FactSet& facts);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_CAPACITY_MODEL_H_
