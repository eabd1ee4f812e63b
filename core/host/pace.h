// How often a sampler is called: as planned, and more seldom while its process takes more processor
// time than it may. Not thread-safe. Takes times from the caller.
#ifndef PLUMB_CORE_HOST_PACE_H_
#define PLUMB_CORE_HOST_PACE_H_

#include <cstdint>

namespace plumb::host {

class Pace {
 public:
  // `budget` is a share of one processor; 0: none, so that the interval stays as it is.
  Pace(int64_t interval_ns, double budget);

  // It is now `now_ns` and the process has used `cpu_ns` of processor time since its start. To be
  // called after every collect; says whether interval_ns() changed.
  bool judge(int64_t now_ns, int64_t cpu_ns);

  int64_t interval_ns() const { return interval_ns_; }
  // Of one processor, over the last whole window; 0 before there is one.
  double share() const { return share_; }

 private:
  const int64_t planned_ns_;
  const int64_t longest_ns_;
  const double budget_;
  int64_t interval_ns_;
  double share_ = 0;
  int64_t window_began_ns_ = 0;
  int64_t cpu_at_begin_ns_ = 0;
  bool started_ = false;
  int calm_windows_ = 0;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_PACE_H_
