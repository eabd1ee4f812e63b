// What watching costs and how well it keeps its times: the engine's own series about one process of
// plumb's. Not thread-safe. A series is declared with its first sample.
#ifndef PLUMB_CORE_ENGINE_SELF_SERIES_H_
#define PLUMB_CORE_ENGINE_SELF_SERIES_H_

#include <cstdint>
#include <string>

#include "core/engine/process_cost.h"
#include "core/engine/series_ids.h"
#include "core/signal/signal.h"

namespace plumb::engine {

class SelfSeries {
 public:
  // `process` is the label `plugin` of every series. `sink` and `ids` must outlive this.
  SelfSeries(std::string process, SignalSink& sink, SeriesIds& ids)
      : process_(std::move(process)), sink_(sink), ids_(ids) {}

  // Never falls, whatever is given.
  void emit_cpu(double cpu_seconds, int64_t now_ns);
  void emit_memory(double resident_bytes, int64_t now_ns);
  void emit_dropped(uint64_t signals, int64_t now_ns);

  struct Sampling {
    int64_t interval_ns = 0;  // between two samples, as of now
    int64_t late_ns = 0;      // of the one that began latest since the last call of this
    uint64_t skipped = 0;     // samples so far that were passed over
    uint64_t failed = 0;      // that failed
  };
  void emit_sampling(const Sampling& sampling, int64_t now_ns);

 private:
  void emit(uint32_t& series, const char* name, const char* unit, uint32_t kind, const char* help,
            double value, int64_t now_ns);

  const std::string process_;
  SignalSink& sink_;
  SeriesIds& ids_;
  double cpu_seconds_ = 0;
  uint32_t cpu_ = 0;  // 0: not yet declared
  uint32_t memory_ = 0;
  uint32_t dropped_ = 0;
  uint32_t interval_ = 0;
  uint32_t late_ = 0;
  uint32_t skipped_ = 0;
  uint32_t failed_ = 0;
};

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_SELF_SERIES_H_
