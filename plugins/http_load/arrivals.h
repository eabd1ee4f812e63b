// When requests are due: the load models, as closed forms over the monotonic clock. They know
// nothing of connections or HTTP, and the caller asks them; they have no timers of their own.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_ARRIVALS_H_
#define PLUMB_PLUGINS_HTTP_LOAD_ARRIVALS_H_

#include <cstdint>
#include <deque>
#include <limits>

#include "plugins/http_load/random.h"

namespace plumb::http_load {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

class Arrivals {
 public:
  virtual ~Arrivals() = default;
  // The intended start of the next request; kNever while all users wait for answers.
  virtual int64_t next_ns() const = 0;
  // Takes that request. Only when next_ns() is not kNever.
  virtual void take() = 0;
  // A request that was taken has ended; times never go backwards.
  virtual void completed(int64_t at_ns) = 0;
  // Users that have begun to work by `now_ns`; 0 in the open model.
  virtual int64_t users(int64_t now_ns) const = 0;
};

// Open: request n is due at start + n / rate, whatever the target does.
class OpenArrivals final : public Arrivals {
 public:
  // `rate` in requests per second, above zero.
  OpenArrivals(int64_t start_ns, double rate) : start_ns_(start_ns), rate_(rate) {}
  int64_t next_ns() const override { return at(taken_); }
  void take() override { ++taken_; }
  void completed(int64_t) override {}
  int64_t users(int64_t) const override { return 0; }
  // The intended start of request n, counted from 0.
  int64_t at(uint64_t n) const;

 private:
  int64_t start_ns_;
  double rate_;
  uint64_t taken_ = 0;
};

// Open, with the gaps of independent users: exponentially distributed, from a seed, and the same
// for the same seed wherever log() rounds alike.
class PoissonArrivals final : public Arrivals {
 public:
  // `rate` in requests per second on average, above zero.
  PoissonArrivals(int64_t start_ns, double rate, uint64_t seed);
  int64_t next_ns() const override { return next_ns_; }
  void take() override;
  void completed(int64_t) override {}
  int64_t users(int64_t) const override { return 0; }

 private:
  int64_t start_ns_;
  double rate_;
  Random random_;
  long double gaps_ = 0;  // their sum so far, in mean gaps
  int64_t next_ns_ = 0;
};

// Closed: each user sends, waits for the answer, thinks, and sends again. A request is due when
// its user is ready, so what its lag shows is the generator's own delay.
class ClosedArrivals final : public Arrivals {
 public:
  // `spawn_rate` in users per second; 0 has all of them begin at once.
  ClosedArrivals(int64_t start_ns, int64_t users, double spawn_rate, int64_t think_ns)
      : start_ns_(start_ns), users_(users), spawn_rate_(spawn_rate), think_ns_(think_ns) {}
  int64_t next_ns() const override;
  void take() override;
  void completed(int64_t at_ns) override { ready_.push_back(at_ns + think_ns_); }
  int64_t users(int64_t now_ns) const override;

 private:
  int64_t spawn_at(int64_t user) const;

  int64_t start_ns_;
  int64_t users_;
  double spawn_rate_;
  int64_t think_ns_;
  int64_t spawned_ = 0;
  // Ascending, since completions come in order and everyone thinks for the same time.
  std::deque<int64_t> ready_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_ARRIVALS_H_
