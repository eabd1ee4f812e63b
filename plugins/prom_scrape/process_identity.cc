#include "plugins/prom_scrape/process_identity.h"

#include <algorithm>
#include <cmath>

namespace plumb::prom_scrape {

Continuity ProcessIdentity::judge(double start_seconds) {
  if (std::isnan(start_seconds) || std::isnan(start_))
    return several_ ? Continuity::kOther : Continuity::kSame;
  if (std::fabs(start_seconds - start_) < kSameSeconds) return Continuity::kSame;
  const bool was_there_before =
      start_seconds < start_ || start_seconds < wall_ - kClockSlackSeconds;
  return several_ || was_there_before ? Continuity::kOther : Continuity::kRestarted;
}

Continuity ProcessIdentity::page(double start_seconds, double wall_seconds, bool fell) {
  const Continuity continuity = judge(start_seconds);
  const bool unexplained_fall = fell && continuity == Continuity::kSame;
  fell_[page_++ % kWatchedPages] = unexplained_fall;
  const auto falls = static_cast<size_t>(std::count(fell_.begin(), fell_.end(), true));
  if (continuity == Continuity::kOther || falls >= kFallsOfSeveral) several_ = true;

  const bool steady = !fell && (continuity == Continuity::kSame || std::isnan(start_seconds));
  steady_pages_ = steady ? steady_pages_ + 1 : 0;
  if (steady_pages_ >= kPagesOfOne) several_ = false;
  if (!std::isnan(start_seconds)) start_ = start_seconds;
  wall_ = wall_seconds;
  return continuity;
}

}  // namespace plumb::prom_scrape
