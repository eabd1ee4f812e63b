// How often the sessions are looked at, and when something dearer may be read, so that both
// together stay within a share of one processor inside the server.
#ifndef PLUMB_PLUGINS_PG_STATS_SAMPLING_PACE_H_
#define PLUMB_PLUGINS_PG_STATS_SAMPLING_PACE_H_

#include <cstdint>
#include <optional>

namespace plumb::pg_stats {

// Chooses every how many ticks the sessions are read, from what the readings turn out to cost.
// Judges every ten seconds, or as soon as the budget of ten seconds is used up. Times are
// nanoseconds of one monotonic clock. Not thread-safe.
class SamplingPace {
 public:
  // `budget`: share of one processor. Never slower than one reading in `slowest_ns`, nor than the
  // ticks themselves.
  explicit SamplingPace(double budget = 0.003, int64_t slowest_ns = 1'000'000'000)
      : budget_(budget), slowest_ns_(slowest_ns) {}

  // A tick has come: whether to read.
  bool due(int64_t now_ns);
  // The readings since the last call cost the server `seconds`.
  void spent(double seconds) { spent_ += seconds; }

  struct Change {
    int64_t every_ticks;  // from now on
    double share;         // of one processor that the readings took
    double budget;        // that was left to them
    bool slower;
    bool at_its_slowest;  // and the budget may still not be kept
  };
  // Judges, when it is time to. `reserved` is the share that other readings take.
  std::optional<Change> judge(int64_t now_ns, double reserved);
  int64_t every_ticks() const { return stride_; }

 private:
  double budget_;
  int64_t slowest_ns_;
  int64_t stride_ = 1;
  int64_t until_read_ = 0;  // ticks
  int64_t window_start_ns_ = 0;
  int64_t ticks_ = 0;
  int64_t readings_ = 0;
  double spent_ = 0;
};

// What dearer readings may cost: it fills at a fixed rate and may be overdrawn by one reading,
// after which nothing is read until it is filled again. Not thread-safe.
class ReadingPurse {
 public:
  explicit ReadingPurse(double share) : share_(share) {}
  bool may_spend(int64_t now_ns);
  void spend(int64_t now_ns, double seconds);
  // Share of one processor spent of late, at most the purse's own.
  double taken(int64_t now_ns);

 private:
  void pass(int64_t now_ns);

  double share_;
  int64_t last_ns_ = 0;
  double balance_ = 0;  // seconds
  double recent_ = 0;   // seconds, fading
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SAMPLING_PACE_H_
