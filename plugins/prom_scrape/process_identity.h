// Whether the process that answers a scrape is the one that answered the last. Not thread-safe.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_PROCESS_IDENTITY_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_PROCESS_IDENTITY_H_

#include <array>
#include <cstddef>
#include <limits>

#include "plugins/prom_scrape/counter_total.h"

namespace plumb::prom_scrape {

// A restart begins every counter anew, and its growth since then counts. Answers that come from
// several processes in turn (workers, instances behind a balancer) look alike, and counting them so
// would add up everything each of them ever counted; then growth is counted only between two
// answers in a row of one process, and not at all where no start time tells which one answered.
class ProcessIdentity {
 public:
  // A page: process_start_time_seconds on it (NaN: it has none), the wall clock in seconds when it
  // was scraped, and whether counters of it fell. Says how its counters follow on the last page's,
  // but for those that fell: see fallen().
  Continuity page(double start_seconds, double wall_seconds, bool fell);
  // How a counter that fell follows on itself.
  Continuity fallen() const { return several_ ? Continuity::kOther : Continuity::kRestarted; }
  // Answers come from several processes in turn.
  bool several() const { return several_; }

  // Start times closer than this are one, computed twice; a process that started this long before
  // the last answer of another may still have taken its place, clocks being what they are.
  static constexpr double kSameSeconds = 2;
  static constexpr double kClockSlackSeconds = 30;
  // So many pages with falls out of the last kWatchedPages come from several processes.
  static constexpr size_t kFallsOfSeveral = 3;
  static constexpr size_t kWatchedPages = 10;
  // After so many pages in a row of one process it is one again.
  static constexpr size_t kPagesOfOne = 60;

 private:
  Continuity judge(double start_seconds);

  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  double start_ = kNone;
  double wall_ = kNone;  // of the last page
  bool several_ = false;
  size_t steady_pages_ = 0;
  size_t page_ = 0;
  std::array<bool, kWatchedPages> fell_{};
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_PROCESS_IDENTITY_H_
