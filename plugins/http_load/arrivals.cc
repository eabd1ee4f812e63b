#include "plugins/http_load/arrivals.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace plumb::http_load {

// ---- open

OpenArrivals::OpenArrivals(LevelCurve rate, std::optional<uint64_t> poisson_seed, Share share)
    : rate_(std::move(rate)),
      poisson_(poisson_seed.has_value()),
      random_(poisson_seed.value_or(0) ^ 0x706f6973736f6eu),
      share_(share) {
  if (poisson_) advance();
  for (uint32_t i = 0; i < share.index; ++i) {
    advance();
    ++number_;
  }
  next_ns_ = rate_.when(area_);
}

void OpenArrivals::advance() {
  if (!poisson_) {
    ++area_;
    return;
  }
  // 53 random bits as a number in (0, 1], whose logarithm exists.
  const double u = (static_cast<double>(random_.next() >> 11) + 1) * 0x1p-53;
  area_ -= static_cast<long double>(std::log(u));
}

Arrival OpenArrivals::take() {
  const Arrival arrival{.due_ns = next_ns_, .place = number_};
  for (uint32_t i = 0; i < share_.of; ++i) advance();
  number_ += share_.of;
  next_ns_ = rate_.when(area_);
  return arrival;
}

// ---- replay

ReplayArrivals::ReplayArrivals(int64_t start_ns,
                               std::shared_ptr<const std::vector<int64_t>> offsets_ns, double speed,
                               Share share)
    : start_ns_(start_ns),
      offsets_ns_(std::move(offsets_ns)),
      speed_(speed),
      step_(share.of),
      number_(share.index) {}

int64_t ReplayArrivals::next_ns() const {
  if (number_ >= offsets_ns_->size()) return kNever;
  const auto offset = static_cast<long double>((*offsets_ns_)[number_]);
  return start_ns_ + static_cast<int64_t>(offset / static_cast<long double>(speed_));
}

Arrival ReplayArrivals::take() {
  const Arrival arrival{.due_ns = next_ns(), .place = number_};
  number_ += step_;
  return arrival;
}

// ---- closed

ClosedArrivals::ClosedArrivals(LevelCurve users, int64_t start_ns, int64_t think_ns,
                               int64_t pacing_ns, Share share)
    : level_(std::move(users)), think_ns_(think_ns), pacing_ns_(pacing_ns), share_(share) {
  const auto most = static_cast<uint32_t>(std::ceil(level_.highest()));
  users_.resize(most / share.of + 1);
  for (uint32_t user = share.index; user < most; user += share.of) make_ready(user, start_ns, true);
}

bool ClosedArrivals::later(const Ready& a, const Ready& b) {
  return std::pair(a.due_ns, a.user) > std::pair(b.due_ns, b.user);
}

// Or at the next instant at which there is room for it; a user for whom there never is has ended.
void ClosedArrivals::make_ready(uint32_t user, int64_t due_ns, bool fresh) {
  const int64_t at = level_.room_for(user, due_ns);
  if (at == kNever) return;
  ready_.push_back({at, user, fresh || at > due_ns});
  std::push_heap(ready_.begin(), ready_.end(), later);
}

Arrival ClosedArrivals::take() {
  std::pop_heap(ready_.begin(), ready_.end(), later);
  const Ready next = ready_.back();
  ready_.pop_back();
  User& user = state(next.user);
  user.begun_ns = next.due_ns;
  return {next.due_ns, next.user, next.fresh, uint64_t{next.user} << 32 | user.iterations++};
}

void ClosedArrivals::completed(uint32_t user, int64_t at_ns) {
  make_ready(user, std::max(at_ns + think_ns_, state(user).begun_ns + pacing_ns_), false);
}

}  // namespace plumb::http_load
