// One sink for many: everything that arrives goes to each of them, with secrets taken out first.
#ifndef PLUMB_CORE_SESSION_FAN_OUT_H_
#define PLUMB_CORE_SESSION_FAN_OUT_H_

#include <string>
#include <utility>
#include <vector>

#include "core/signal/signal.h"

namespace plumb::session {

// Thread-safe when the sinks are. The sinks must outlive it.
class FanOut final : public SignalSink {
 public:
  FanOut(std::vector<SignalSink*> sinks, std::vector<std::string> secrets)
      : sinks_(std::move(sinks)), secrets_(std::move(secrets)) {}

  void on_series(const SeriesInfo& series) override;
  void on_samples(const std::vector<Sample>& samples) override;
  void on_histogram(const HistogramRecord& histogram) override;
  void on_event(const Event& event) override;
  void on_table(const TableRecord& table) override;
  void on_stacks(const StackBatch& batch) override;
  void on_health(const HealthChange& change) override;

 private:
  std::vector<SignalSink*> sinks_;
  std::vector<std::string> secrets_;
};

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_FAN_OUT_H_
