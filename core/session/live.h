// What a run looks like while it goes on: rolling totals for people, made from the signals as they
// come. Neither kept nor judged; the report is computed from the run file.
//
// Thread-safe: signals come from several threads, snapshots are taken from others.
#ifndef PLUMB_CORE_SESSION_LIVE_H_
#define PLUMB_CORE_SESSION_LIVE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <plumb/histogram.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/mutex.h"
#include "core/engine/engine.h"
#include "core/signal/signal.h"

namespace plumb::session {

// The requests that completed in one interval of the load plugin, usually a second.
struct LivePoint {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  uint64_t requests = 0;
  uint64_t failed = 0;
  double rate = 0;  // requests/s
  // Response times in seconds; empty when none completed.
  std::optional<double> p50_s = {};
  std::optional<double> p95_s = {};
  std::optional<double> p99_s = {};
};

// The layer that has cost each request most so far: a rough figure, from the signals alone.
struct LiveLayer {
  std::string name;
  double ms = 0;
  double of_ms = 0;  // the mean response time
};

struct LiveSnapshot {
  std::string phase;  // what the engine does; empty while a stage runs
  std::optional<StageSpan> stage;
  double stage_elapsed_s = 0;
  double stage_s = 0;     // as planned
  double left_s = 0;      // until the last stage ends, as planned
  uint64_t requests = 0;  // since the load began, warm-up included
  uint64_t failed = 0;
  std::optional<double> in_flight = {};
  std::optional<double> users = {};
  std::optional<double> target_rate = {};
  std::optional<LivePoint> last = {};  // the last interval that is complete
  std::optional<LiveLayer> top = {};
  std::vector<HealthChange> unwell = {};  // plugins that are not OK now
};

class Live final : public SignalSink, public engine::EngineObserver {
 public:
  // `load_seconds`: how long all stages together are planned to take.
  explicit Live(double load_seconds) : load_seconds_(load_seconds) {}

  void on_series(const SeriesInfo& series) override;
  void on_samples(const std::vector<Sample>& samples) override;
  void on_histogram(const HistogramRecord& histogram) override;
  void on_event(const Event&) override {}
  void on_table(const TableRecord&) override {}
  void on_stacks(const StackBatch&) override {}
  void on_health(const HealthChange& change) override;
  void on_phase(std::string_view text) override;
  void on_stage(const StageSpan& stage) override;

  // As of now_ns on the monotonic clock.
  LiveSnapshot snapshot(int64_t now_ns) const;
  // The last intervals, oldest first, at most `most`.
  std::vector<LivePoint> points(size_t most) const;

 private:
  enum class Use {
    kNone,
    kResponse,
    kPhase,
    kInFlight,
    kUsers,
    kTargetRate,
    kLayerSeconds,
    kLayerCount
  };
  struct Followed {
    Use use = Use::kNone;
    std::string layer;  // of kPhase, kLayerSeconds, kLayerCount
    bool failed = false;
    std::optional<Sample> last = {};
  };
  struct Interval {
    int64_t start_ns = 0;
    int64_t end_ns = 0;
    Histogram times;
    uint64_t failed = 0;
  };
  struct LayerSeconds {
    double from_counters = 0;
    double from_gauges = 0;
  };

  static Followed follow(const SeriesInfo& series);
  static LivePoint point_of(const Interval& interval);
  void take_sample(Followed& series, const Sample& sample) PLUMB_REQUIRES(mutex_);
  void take_response(const Followed& series, const HistogramRecord& record) PLUMB_REQUIRES(mutex_);
  std::optional<LiveLayer> top_layer() const PLUMB_REQUIRES(mutex_);
  std::optional<double> latest(Use use) const PLUMB_REQUIRES(mutex_);

  const double load_seconds_;
  mutable Mutex mutex_;
  std::unordered_map<uint32_t, Followed> series_ PLUMB_GUARDED_BY(mutex_);
  std::deque<Interval> intervals_ PLUMB_GUARDED_BY(mutex_);  // ascending by end
  std::map<std::string, LayerSeconds> layers_ PLUMB_GUARDED_BY(mutex_);
  // As of the last interval's end: samples come before the requests they belong to.
  std::map<std::string, LayerSeconds> settled_layers_ PLUMB_GUARDED_BY(mutex_);
  std::map<std::string, HealthChange> health_ PLUMB_GUARDED_BY(mutex_);
  std::string phase_ PLUMB_GUARDED_BY(mutex_);
  std::optional<StageSpan> stage_ PLUMB_GUARDED_BY(mutex_);
  std::optional<int64_t> first_stage_ns_ PLUMB_GUARDED_BY(mutex_);
  uint64_t requests_ PLUMB_GUARDED_BY(mutex_) = 0;
  uint64_t failed_ PLUMB_GUARDED_BY(mutex_) = 0;
  double response_s_ PLUMB_GUARDED_BY(mutex_) = 0;
};

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_LIVE_H_
