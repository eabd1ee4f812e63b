// Where the recording is cut: every second of each stage, and at its end.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_INTERVALS_H_
#define PLUMB_PLUGINS_HTTP_LOAD_INTERVALS_H_

#include <cstdint>
#include <plumb/plugin.hpp>
#include <span>
#include <vector>

namespace plumb::http_load {

class Intervals {
 public:
  // Stages ascend and do not overlap.
  explicit Intervals(std::span<const Stage> stages) : stages_(stages.begin(), stages.end()) {}
  // The first cut after `t_ns`. After the last stage cuts go on each second.
  int64_t next_cut(int64_t t_ns) const;

 private:
  std::vector<Stage> stages_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_INTERVALS_H_
