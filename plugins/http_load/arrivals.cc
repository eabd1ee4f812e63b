#include "plugins/http_load/arrivals.h"

#include <algorithm>
#include <cmath>

namespace plumb::http_load {
namespace {

// Long double, since n * 10^9 passes what a double holds exactly after a few hours.
int64_t nth(int64_t start_ns, uint64_t n, double per_second) {
  return start_ns + static_cast<int64_t>(static_cast<long double>(n) * 1e9L /
                                         static_cast<long double>(per_second));
}

}  // namespace

int64_t OpenArrivals::at(uint64_t n) const { return nth(start_ns_, n, rate_); }

PoissonArrivals::PoissonArrivals(int64_t start_ns, double rate, uint64_t seed)
    : start_ns_(start_ns), rate_(rate), random_(seed ^ 0x706f6973736f6eu) {
  take();
}

void PoissonArrivals::take() {
  // 53 random bits as a number in (0, 1], whose logarithm exists.
  const double u = (static_cast<double>(random_.next() >> 11) + 1) * 0x1p-53;
  gaps_ -= static_cast<long double>(std::log(u));
  next_ns_ = start_ns_ + static_cast<int64_t>(gaps_ * 1e9L / static_cast<long double>(rate_));
}

int64_t ClosedArrivals::spawn_at(int64_t user) const {
  if (user >= users_) return kNever;
  if (spawn_rate_ <= 0) return start_ns_;
  return nth(start_ns_, static_cast<uint64_t>(user), spawn_rate_);
}

int64_t ClosedArrivals::next_ns() const {
  return std::min(spawn_at(spawned_), ready_.empty() ? kNever : ready_.front());
}

void ClosedArrivals::take() {
  if (!ready_.empty() && ready_.front() <= spawn_at(spawned_))
    ready_.pop_front();
  else
    ++spawned_;
}

int64_t ClosedArrivals::users(int64_t now_ns) const {
  if (now_ns < start_ns_) return 0;
  if (spawn_rate_ <= 0) return users_;
  const double elapsed_s = static_cast<double>(now_ns - start_ns_) / 1e9;
  return std::min(users_, static_cast<int64_t>(elapsed_s * spawn_rate_) + 1);
}

}  // namespace plumb::http_load
