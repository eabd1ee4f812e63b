// A level over time, requests per second or users: straight pieces, one after the other.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_LEVEL_CURVE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_LEVEL_CURVE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "plugins/http_load/clock.h"

namespace plumb::http_load {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

struct LevelPiece {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  double from = 0;
  double to = 0;

  bool operator==(const LevelPiece&) const = default;
};

class LevelCurve {
 public:
  // Pieces ascend without gaps; levels are not negative.
  explicit LevelCurve(std::vector<LevelPiece> pieces);

  // When the area under the curve, level times seconds, has reached `area` and the level is above
  // zero; kNever when it does not. Areas are asked for in ascending order.
  int64_t when(long double area);
  // The area between two instants.
  long double area(int64_t from_ns, int64_t to_ns) const;
  // The first instant from `t_ns` on at which there is room for `user`, counted from 0: the level
  // is above it, or rises through it. kNever when there is none.
  int64_t room_for(uint32_t user, int64_t t_ns) const;
  // How many users there is room for.
  int64_t users(int64_t t_ns) const;
  double highest() const;

 private:
  std::vector<LevelPiece> pieces_;
  std::vector<long double> areas_;  // up to the end of each piece
  size_t piece_ = 0;                // that the last when() fell into
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_LEVEL_CURVE_H_
