#include "time_mean.h"

#include <utility>

namespace plumb::sqlite_stats {

void TimeMean::look(int64_t now_ns, std::optional<double> value) {
  const std::optional<int64_t> before_ns = std::exchange(last_ns_, now_ns);
  const std::optional<double> before = std::exchange(last_, value);
  unknown_ |= !value;
  if (!before_ns || !before || !value) return;
  const int64_t since_ns = now_ns - *before_ns;
  watched_ns_ += since_ns;
  sum_ += (*before + *value) / 2 * static_cast<double>(since_ns);
}

void TimeMean::pause() {
  last_ns_.reset();
  last_.reset();
}

std::optional<double> TimeMean::take() {
  const double sum = std::exchange(sum_, 0);
  const int64_t watched_ns = std::exchange(watched_ns_, 0);
  const bool unknown = std::exchange(unknown_, last_ns_ && !last_);
  if (unknown || watched_ns == 0) return std::nullopt;
  return sum / static_cast<double>(watched_ns);
}

}  // namespace plumb::sqlite_stats
