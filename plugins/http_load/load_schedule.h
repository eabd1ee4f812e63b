// The load of a plan over the stages of a run.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_LOAD_SCHEDULE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_LOAD_SCHEDULE_H_

#include <memory>
#include <plumb/plugin.hpp>
#include <span>

#include "plugins/http_load/arrivals.h"
#include "plugins/http_load/level_curve.h"
#include "plugins/http_load/load_plan.h"

namespace plumb::http_load {

// What is asked for, at every instant: each curve without pieces where its model has no part.
class LoadSchedule {
 public:
  // `stages` ascend; those that cool down have no load. The plan outlives the schedule.
  LoadSchedule(const LoadPlan& plan, std::span<const Stage> stages);

  int64_t start_ns() const { return start_ns_; }
  int64_t end_ns() const { return end_ns_; }  // of the load
  // Requests per second, on average between two instants.
  double rate(int64_t from_ns, int64_t to_ns) const;
  double highest_rate() const;
  int64_t users(int64_t t_ns) const { return users_.users(t_ns); }
  // The arrivals of one worker.
  std::unique_ptr<Arrivals> arrivals(Share share) const;

 private:
  const LoadPlan& plan_;
  int64_t start_ns_ = 0;
  int64_t end_ns_ = 0;
  LevelCurve rate_;
  LevelCurve users_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_LOAD_SCHEDULE_H_
