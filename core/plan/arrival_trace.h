// A recorded arrival trace: the instants that requests were due at.
#ifndef PLUMB_CORE_PLAN_ARRIVAL_TRACE_H_
#define PLUMB_CORE_PLAN_ARRIVAL_TRACE_H_

#include <cstdint>
#include <plumb/status.hpp>
#include <string>
#include <vector>

namespace plumb::plan {

// Nanoseconds since the first arrival, ascending, at least one. Each line of `file` begins with
// seconds, absolute or relative, alone or as the first column of a CSV; a heading and empty lines
// are read over. Errors name the file, and the line that is no number or goes back in time. At most
// ten million lines.
Result<std::vector<int64_t>> read_arrival_trace(const std::string& file);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_ARRIVAL_TRACE_H_
