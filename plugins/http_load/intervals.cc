#include "plugins/http_load/intervals.h"

#include <algorithm>

#include "plugins/http_load/clock.h"

namespace plumb::http_load {
namespace {}

int64_t Intervals::next_cut(int64_t t_ns) const {
  int64_t origin = t_ns;
  for (const Stage& stage : stages_) {
    if (t_ns < stage.start_ns) return stage.start_ns;
    if (t_ns < stage.end_ns) {
      const int64_t whole = (t_ns - stage.start_ns) / kSecond + 1;
      return std::min(stage.start_ns + whole * kSecond, stage.end_ns);
    }
    origin = stage.end_ns;
  }
  return origin + ((t_ns - origin) / kSecond + 1) * kSecond;
}

}  // namespace plumb::http_load
