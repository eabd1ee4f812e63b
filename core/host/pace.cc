#include "core/host/pace.h"

#include <algorithm>

namespace plumb::host {
namespace {

constexpr int64_t kWindowNs = 5'000'000'000;
// Beyond this an interval is no sampling any more.
constexpr int64_t kLongestIntervalNs = 10'000'000'000;
constexpr int64_t kMostStretch = 32;
// A sampler is called faster again only when that would leave room, twice in a row: otherwise it
// would swing between two intervals.
constexpr double kRoom = 0.7;
constexpr int kCalmWindows = 2;

}  // namespace

Pace::Pace(int64_t interval_ns, double budget)
    : planned_ns_(interval_ns),
      longest_ns_(std::max(interval_ns, std::min(kMostStretch * interval_ns, kLongestIntervalNs))),
      budget_(budget),
      interval_ns_(interval_ns) {}

bool Pace::judge(int64_t now_ns, int64_t cpu_ns) {
  // A window holds a few calls at least, whatever the interval.
  const int64_t window_ns = std::max(kWindowNs, 3 * interval_ns_);
  if (started_ && now_ns - window_began_ns_ < window_ns) return false;
  const bool measured = started_;
  const double elapsed = static_cast<double>(now_ns - window_began_ns_);
  const double used = static_cast<double>(std::max<int64_t>(0, cpu_ns - cpu_at_begin_ns_));
  window_began_ns_ = now_ns;
  cpu_at_begin_ns_ = cpu_ns;
  started_ = true;
  if (!measured || elapsed <= 0) return false;
  share_ = used / elapsed;
  if (budget_ <= 0) return false;
  const int64_t before = interval_ns_;
  if (share_ > budget_) {
    calm_windows_ = 0;
    interval_ns_ = std::min(2 * interval_ns_, longest_ns_);
  } else if (interval_ns_ > planned_ns_ && 2 * share_ < kRoom * budget_) {
    if (++calm_windows_ >= kCalmWindows) {
      calm_windows_ = 0;
      interval_ns_ = std::max(interval_ns_ / 2, planned_ns_);
    }
  } else {
    calm_windows_ = 0;
  }
  return interval_ns_ != before;
}

}  // namespace plumb::host
