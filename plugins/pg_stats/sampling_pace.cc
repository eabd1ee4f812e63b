#include "plugins/pg_stats/sampling_pace.h"

#include <algorithm>
#include <cmath>

namespace plumb::pg_stats {
namespace {

constexpr int64_t kWindowNs = 10'000'000'000;
constexpr int64_t kLeastWindowNs = 1'000'000'000;
// Faster again only where it fits with room to spare, or it would go back and forth.
constexpr double kRoom = 0.85;
// The sessions keep at least this part of the budget, whatever else is read.
constexpr double kLeastPart = 0.5;
constexpr double kRounding = 1e-6;
constexpr double kPurseSeconds = 10;
constexpr double kFadeSeconds = 60;

}  // namespace

bool SamplingPace::due(int64_t now_ns) {
  if (window_start_ns_ == 0) {
    window_start_ns_ = now_ns;
  } else {
    ++ticks_;
  }
  if (--until_read_ > 0) return false;
  until_read_ = stride_;
  ++readings_;
  return true;
}

std::optional<SamplingPace::Change> SamplingPace::judge(int64_t now_ns, double reserved) {
  const int64_t window = now_ns - window_start_ns_;
  if (window_start_ns_ == 0 || window < kLeastWindowNs || readings_ == 0 || ticks_ == 0)
    return std::nullopt;
  const double budget = std::max(budget_ - reserved, budget_ * kLeastPart);
  const double allowed = budget * static_cast<double>(kWindowNs) / 1e9;
  if (window < kWindowNs && spent_ <= allowed) return std::nullopt;

  const double share = spent_ * 1e9 / static_cast<double>(window);
  const double cost = spent_ / static_cast<double>(readings_);
  const double tick = static_cast<double>(window) / 1e9 / static_cast<double>(ticks_);
  const auto slowest = std::max<int64_t>(
      1, static_cast<int64_t>(static_cast<double>(slowest_ns_) / 1e9 / tick + 0.5));
  const auto stride_within = [&](double limit) {
    const double ticks = std::ceil(cost / limit / tick - kRounding);
    return ticks >= static_cast<double>(slowest)
               ? slowest
               : std::max<int64_t>(1, static_cast<int64_t>(ticks));
  };
  window_start_ns_ = now_ns;
  ticks_ = readings_ = 0;
  spent_ = 0;

  const int64_t before = stride_;
  if (share > budget) {
    stride_ = std::min(slowest, std::max(stride_ + 1, stride_within(budget)));
  } else {
    stride_ = std::min(stride_, stride_within(budget * kRoom));
  }
  if (stride_ == before) return std::nullopt;
  until_read_ = std::min(until_read_, stride_);
  return Change{stride_, share, budget, stride_ > before, stride_ == slowest};
}

void ReadingPurse::pass(int64_t now_ns) {
  const double seconds =
      last_ns_ == 0 ? 0 : static_cast<double>(std::max<int64_t>(0, now_ns - last_ns_)) / 1e9;
  last_ns_ = now_ns;
  balance_ = std::min(balance_ + seconds * share_, share_ * kPurseSeconds);
  recent_ *= std::exp(-seconds / kFadeSeconds);
}

bool ReadingPurse::may_spend(int64_t now_ns) {
  pass(now_ns);
  return balance_ >= 0;
}

void ReadingPurse::spend(int64_t now_ns, double seconds) {
  pass(now_ns);
  balance_ -= seconds;
  recent_ += seconds;
}

double ReadingPurse::taken(int64_t now_ns) {
  pass(now_ns);
  return std::min(share_, recent_ / kFadeSeconds);
}

}  // namespace plumb::pg_stats
