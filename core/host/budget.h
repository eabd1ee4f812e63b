// How much of something may pass per second: a bucket that fills at `per_second` and holds as much
// as comes in `burst_seconds`. Not thread-safe. Takes the time from the caller.
#ifndef PLUMB_CORE_HOST_BUDGET_H_
#define PLUMB_CORE_HOST_BUDGET_H_

#include <algorithm>
#include <cstdint>

namespace plumb::host {

class Budget {
 public:
  Budget(double per_second, double burst_seconds)
      : per_second_(per_second), most_(per_second * burst_seconds), left_(most_) {}

  // False, and nothing is taken, when less than `amount` is left.
  [[nodiscard]] bool take(double amount, int64_t now_ns) {
    if (now_ns > last_ns_) {
      const double seconds = last_ns_ == 0 ? 0 : static_cast<double>(now_ns - last_ns_) / 1e9;
      left_ = std::min(most_, left_ + seconds * per_second_);
      last_ns_ = now_ns;
    }
    if (amount > left_) return false;
    left_ -= amount;
    return true;
  }

 private:
  double per_second_;
  double most_;
  double left_;
  int64_t last_ns_ = 0;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_BUDGET_H_
