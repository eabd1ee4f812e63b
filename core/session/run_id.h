// Names of runs: 20261120T104512Z-7f3a, the start in UTC and four hex digits, which grow within the
// second: sorted by name, runs are in the order in which they started.
#ifndef PLUMB_CORE_SESSION_RUN_ID_H_
#define PLUMB_CORE_SESSION_RUN_ID_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace plumb::session {

std::string make_run_id(int64_t unix_ms, uint16_t random);
bool is_run_id(std::string_view text);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_RUN_ID_H_
