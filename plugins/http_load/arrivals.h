// When requests are due: the load models, as closed forms over the monotonic clock. They know
// nothing of connections or HTTP, and the caller asks them; they have no timers of their own.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_ARRIVALS_H_
#define PLUMB_PLUGINS_HTTP_LOAD_ARRIVALS_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "plugins/http_load/level_curve.h"
#include "plugins/http_load/random.h"

namespace plumb::http_load {

constexpr uint32_t kVisitor = std::numeric_limits<uint32_t>::max();

// The beginning of one iteration.
struct Arrival {
  int64_t due_ns = 0;
  uint32_t user = kVisitor;  // kVisitor: somebody new, of the open model
  bool fresh = true;         // closed: the user's first iteration since it became active
  uint64_t place = 0;        // in the schedule: a number that no other arrival of the model has
};

// Which part of a schedule one of several workers takes: every `of`-th, from `index` on.
struct Share {
  uint32_t index = 0;
  uint32_t of = 1;
};

class Arrivals {
 public:
  virtual ~Arrivals() = default;
  // The intended start of the next iteration; kNever while there is none.
  virtual int64_t next_ns() const = 0;
  // Takes that iteration. Only when next_ns() is not kNever.
  virtual Arrival take() = 0;
  // The iteration of `user` has ended; visitors are not told of.
  virtual void completed(uint32_t user, int64_t at_ns) = 0;
};

// Open: arrival n is due when the area under the rate reaches n (constant) or a sum of n + 1
// exponential gaps (Poisson, the same for the same seed wherever log() rounds alike), whatever the
// target does.
class OpenArrivals final : public Arrivals {
 public:
  // `rate` in requests per second. Without a seed arrivals are evenly spaced.
  OpenArrivals(LevelCurve rate, std::optional<uint64_t> poisson_seed, Share share);
  int64_t next_ns() const override { return next_ns_; }
  Arrival take() override;
  void completed(uint32_t, int64_t) override {}

 private:
  void advance();

  LevelCurve rate_;
  const bool poisson_;
  Random random_;
  const Share share_;
  uint64_t number_ = 0;   // of the next one
  long double area_ = 0;  // where it is due
  int64_t next_ns_ = kNever;
};

// Open: at the recorded instants.
class ReplayArrivals final : public Arrivals {
 public:
  // `offsets_ns` ascend, since the beginning of the recording.
  ReplayArrivals(int64_t start_ns, std::shared_ptr<const std::vector<int64_t>> offsets_ns,
                 double speed, Share share);
  int64_t next_ns() const override;
  Arrival take() override;
  void completed(uint32_t, int64_t) override {}

 private:
  const int64_t start_ns_;
  const std::shared_ptr<const std::vector<int64_t>> offsets_ns_;
  const double speed_;
  const uint32_t step_;
  size_t number_;
};

// Closed: each user makes an iteration, thinks, and makes another, as long as the level of users
// has room for it. An iteration is due when its user is ready, so what its lag shows is the
// generator's own delay.
class ClosedArrivals final : public Arrivals {
 public:
  // `users` over time. A user that rests `think_ns` still does not begin earlier than `pacing_ns`
  // after its last beginning.
  ClosedArrivals(LevelCurve users, int64_t start_ns, int64_t think_ns, int64_t pacing_ns,
                 Share share);
  int64_t next_ns() const override { return ready_.empty() ? kNever : ready_.front().due_ns; }
  Arrival take() override;
  void completed(uint32_t user, int64_t at_ns) override;

 private:
  struct Ready {
    int64_t due_ns;
    uint32_t user;
    bool fresh;
  };
  struct User {
    int64_t begun_ns = 0;
    uint32_t iterations = 0;
  };
  static bool later(const Ready& a, const Ready& b);
  User& state(uint32_t user) { return users_[user / share_.of]; }
  void make_ready(uint32_t user, int64_t due_ns, bool fresh);

  LevelCurve level_;
  const int64_t think_ns_;
  const int64_t pacing_ns_;
  const Share share_;
  std::vector<User> users_;   // of this share
  std::vector<Ready> ready_;  // a heap, the earliest in front
};

// Both models, one after the other or at once.
class MixedArrivals final : public Arrivals {
 public:
  MixedArrivals(std::unique_ptr<Arrivals> open, std::unique_ptr<Arrivals> closed)
      : open_(std::move(open)), closed_(std::move(closed)) {}
  int64_t next_ns() const override { return std::min(open_->next_ns(), closed_->next_ns()); }
  Arrival take() override {
    return (open_->next_ns() <= closed_->next_ns() ? open_ : closed_)->take();
  }
  void completed(uint32_t user, int64_t at_ns) override { closed_->completed(user, at_ns); }

 private:
  std::unique_ptr<Arrivals> open_;
  std::unique_ptr<Arrivals> closed_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_ARRIVALS_H_
