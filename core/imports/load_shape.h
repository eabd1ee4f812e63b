// Which stretch of a run was under steady load, found from what was sent.
#ifndef PLUMB_CORE_IMPORTS_LOAD_SHAPE_H_
#define PLUMB_CORE_IMPORTS_LOAD_SHAPE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/signal/signal.h"

namespace plumb::imports {

struct LoadShape {
  int64_t start_ns = 0;  // of the first request
  int64_t end_ns = 0;    // of the last
  // By second (time / 1e9): requests that ended, and users at work where they are known.
  std::map<int64_t, double> ended;
  std::map<int64_t, double> users;
};

// One to three stages: a ramp up, the steady stage, a ramp down. The level is the number of users
// where it is known, else the running median over five seconds of the rate; its height is the upper
// quartile. The steady stage begins when the level first comes to 90% of that height and ends when
// it is last above half of it: what a service in trouble makes of the load in between is no end of
// the stage. `steady`, in seconds since the start, is taken instead where it is given.
std::vector<StageSpan> find_stages(const LoadShape& shape,
                                   const std::optional<std::pair<double, double>>& steady);

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_LOAD_SHAPE_H_
