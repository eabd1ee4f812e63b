// Takes the signal frames of one plugin: decodes and checks them, gives their series the run's ids,
// and passes them to the sink. Not thread-safe: the plugin's reader thread uses it.
#ifndef PLUMB_CORE_ENGINE_SIGNAL_RECEIVER_H_
#define PLUMB_CORE_ENGINE_SIGNAL_RECEIVER_H_

#include <cstdint>
#include <functional>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/engine/process_cost.h"
#include "core/engine/series_ids.h"
#include "core/host/frame.h"
#include "core/host/signal_check.h"
#include "core/signal/signal.h"

namespace plumb::engine {

class SignalReceiver {
 public:
  // Signals before `earliest_ns` are refused. `secrets`, `sink` and `ids` must outlive this.
  SignalReceiver(std::string plugin, int64_t earliest_ns, const std::vector<std::string>& secrets,
                 SignalSink& sink, SeriesIds& ids);

  // A frame of a type from kSeries to kTable, or kStacks. An error means that the host broke the
  // protocol.
  Status take(const host::Frame& frame, int64_t now_ns);
  // A health frame, checked and with secrets taken out; not passed to the sink.
  Result<HealthChange> health_of(const host::Frame& frame, int64_t now_ns) const;

 private:
  Status take_series(const host::Frame& frame);
  Status take_samples(const host::Frame& frame, int64_t now_ns);
  Status take_histogram(const host::Frame& frame, int64_t now_ns);
  Status take_event(const host::Frame& frame, int64_t now_ns);
  Status take_table(const host::Frame& frame, int64_t now_ns);
  Status take_stacks(const host::Frame& frame, int64_t now_ns);
  std::string redacted(std::string text) const;

  std::string plugin_;
  const std::vector<std::string>& secrets_;
  SignalSink& sink_;
  SeriesIds& ids_;
  host::SignalCheck check_;
  std::vector<uint32_t> run_ids_;  // by the plugin's own id - 1
};

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_SIGNAL_RECEIVER_H_
