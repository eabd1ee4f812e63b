// Turns what a run says while it goes on into events for those who follow it.
#ifndef PLUMB_CORE_SERVE_RUN_TELLER_H_
#define PLUMB_CORE_SERVE_RUN_TELLER_H_

#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "core/base/mutex.h"
#include "core/engine/engine.h"
#include "core/serve/event_log.h"
#include "core/session/live.h"
#include "core/signal/signal.h"

namespace plumb::serve {

// A snapshot as the API and the progress events give it; what is not known is absent.
nlohmann::json live_numbers(const session::LiveSnapshot& snapshot);

// Thread-safe. `live` and `log` must outlive it.
class RunTeller final : public SignalSink, public engine::EngineObserver {
 public:
  RunTeller(session::Live& live, EventLog& log) : live_(live), log_(log) {}

  void on_series(const SeriesInfo&) override {}
  void on_samples(const std::vector<Sample>&) override {}
  void on_histogram(const HistogramRecord&) override {}
  void on_event(const Event&) override {}
  void on_table(const TableRecord&) override {}
  void on_stacks(const StackBatch&) override {}
  void on_health(const HealthChange& change) override;
  void on_phase(std::string_view text) override;
  void on_stage(const StageSpan& stage) override;

  // True at `time`, false as soon as finish() has been called.
  bool wait_until(std::chrono::steady_clock::time_point time);
  void finish();

 private:
  session::Live& live_;
  EventLog& log_;
  Mutex mutex_;
  CondVar finishing_;
  bool finished_ PLUMB_GUARDED_BY(mutex_) = false;
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_RUN_TELLER_H_
