// Test support: stack profiles of the sample run, as a profiler of a C++ service would have made
// them; held in memory instead of a file.
#ifndef PLUMB_CORE_REPORT_TESTDATA_SAMPLE_STACKS_H_
#define PLUMB_CORE_REPORT_TESTDATA_SAMPLE_STACKS_H_

#include <string>

#include "core/store/run_file.h"

namespace plumb::testing {

// on_cpu and off_cpu, one batch of each for every 3 s of the run; `suffix` stands behind every
// name. Of each second on_cpu has 0.27 s below sqlite3_step and 0.15 s in many small functions.
store::StackReader sample_stacks(const store::RunData& run, const std::string& suffix = {});

// on_cpu before a change: sort_rows took twice as long, and there was no compress_body.
store::StackReader sample_stacks_before(const store::RunData& run);

}  // namespace plumb::testing

#endif  // PLUMB_CORE_REPORT_TESTDATA_SAMPLE_STACKS_H_
