#include "plugins/http_load/level_curve.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace plumb::http_load {
namespace {

long double seconds_of(int64_t ns) { return static_cast<long double>(ns) / 1e9L; }

long double level_at(const LevelPiece& p, int64_t t_ns) {
  const long double share =
      static_cast<long double>(t_ns - p.start_ns) / static_cast<long double>(p.end_ns - p.start_ns);
  return p.from + (static_cast<long double>(p.to) - p.from) * share;
}

long double area_of(const LevelPiece& p, int64_t from_ns, int64_t to_ns) {
  return (level_at(p, from_ns) + level_at(p, to_ns)) / 2 * seconds_of(to_ns - from_ns);
}

// How long the piece takes to fill `area`, in nanoseconds. Long double, since a day at a high rate
// passes what a double holds exactly.
int64_t time_to_fill(const LevelPiece& p, long double area) {
  const long double from = p.from;
  if (p.from == p.to) return static_cast<int64_t>(area * 1e9L / from);
  const long double slope = (p.to - from) / seconds_of(p.end_ns - p.start_ns);
  // The root of slope/2 t^2 + from t = area, in the form that loses no digits where slope is small.
  const long double root = std::sqrt(std::max(0.0L, from * from + 2 * slope * area));
  return static_cast<int64_t>(2 * area / (from + root) * 1e9L);
}

}  // namespace

LevelCurve::LevelCurve(std::vector<LevelPiece> pieces) : pieces_(std::move(pieces)) {
  long double area = 0;
  for (const LevelPiece& p : pieces_) {
    if (p.end_ns > p.start_ns) area += area_of(p, p.start_ns, p.end_ns);
    areas_.push_back(area);
  }
}

int64_t LevelCurve::when(long double area) {
  while (piece_ < pieces_.size() && areas_[piece_] <= area) ++piece_;
  if (piece_ == pieces_.size()) return kNever;
  const LevelPiece& p = pieces_[piece_];
  const long double before = piece_ == 0 ? 0 : areas_[piece_ - 1];
  if (area <= before && p.from == 0) return p.start_ns;
  return std::min(p.end_ns, p.start_ns + time_to_fill(p, area - before));
}

long double LevelCurve::area(int64_t from_ns, int64_t to_ns) const {
  long double sum = 0;
  for (const LevelPiece& p : pieces_) {
    const int64_t from = std::max(from_ns, p.start_ns);
    const int64_t to = std::min(to_ns, p.end_ns);
    if (from < to) sum += area_of(p, from, to);
  }
  return sum;
}

int64_t LevelCurve::room_for(uint32_t user, int64_t t_ns) const {
  const auto number = static_cast<long double>(user);
  for (const LevelPiece& p : pieces_) {
    if (p.end_ns <= t_ns || p.end_ns <= p.start_ns) continue;
    const int64_t at = std::max(t_ns, p.start_ns);
    if (level_at(p, at) > number) return at;
    if (p.to <= p.from || p.to <= number) continue;
    const long double share = (number - p.from) / (static_cast<long double>(p.to) - p.from);
    const auto through =
        static_cast<int64_t>(share * static_cast<long double>(p.end_ns - p.start_ns));
    return std::max(at, p.start_ns + through);
  }
  return kNever;
}

int64_t LevelCurve::users(int64_t t_ns) const {
  for (const LevelPiece& p : pieces_) {
    if (t_ns < p.start_ns || t_ns >= p.end_ns) continue;
    const auto level = static_cast<double>(level_at(p, t_ns));
    const double count = p.to > p.from ? std::floor(level) + 1 : std::ceil(level);
    return static_cast<int64_t>(std::min(count, std::max(p.from, p.to)));
  }
  return 0;
}

double LevelCurve::highest() const {
  double highest = 0;
  for (const LevelPiece& p : pieces_) highest = std::max({highest, p.from, p.to});
  return highest;
}

}  // namespace plumb::http_load
