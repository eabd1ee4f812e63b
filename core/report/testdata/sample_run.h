// Test support: a whole run as the shipped plugins would have told it, made of arithmetic instead
// of a service. A service with 16 users and a pool of two connections, which are busy all the time.
#ifndef PLUMB_CORE_REPORT_TESTDATA_SAMPLE_RUN_H_
#define PLUMB_CORE_REPORT_TESTDATA_SAMPLE_RUN_H_

#include <string>

#include "core/store/run_file.h"

namespace plumb::testing {

struct SampleOptions {
  int warmup_s = 2;
  int steady_s = 30;
  int cooldown_s = 1;
  bool load = true;      // false: plumb only observed
  bool database = true;  // false: no pg_stats
  // Seconds after which the writer was killed, or 0.
  double killed_after_s = 0;
  // Seconds after which pg_stats goes dark, or 0.
  double dark_after_s = 0;
  // Put behind every name, label, message and cell that a plugin or the plan may choose.
  std::string suffix;
  bool analysis = false;  // a language model's part
  bool profiles = false;  // of a stack profiler
  bool stages = false;    // the steady stage in four: steady, a ramp, a spike and steady again
};

store::RunData sample_run(const SampleOptions& options = {});

}  // namespace plumb::testing

#endif  // PLUMB_CORE_REPORT_TESTDATA_SAMPLE_RUN_H_
