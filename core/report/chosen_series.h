// Which of a run's series a report shows over time. A report has room for a few: those that people
// look at first, and whatever an unknown plugin says is a resource's utilisation or saturation.
#ifndef PLUMB_CORE_REPORT_CHOSEN_SERIES_H_
#define PLUMB_CORE_REPORT_CHOSEN_SERIES_H_

#include <string>
#include <vector>

#include "core/store/run_file.h"

namespace plumb::report {

struct ChosenSeries {
  const store::SeriesData* data = nullptr;  // of the run given, never null
  std::string title;                        // for people; series of one name share it
  std::string unit;  // of what is shown: a counter is shown as its growth per second
};

// At most 40, in the order they are shown. The pointers live as long as the run does.
std::vector<ChosenSeries> choose_series(const store::RunData& run);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_CHOSEN_SERIES_H_
