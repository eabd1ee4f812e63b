#include "core/engine/self_series.h"

#include <algorithm>

namespace plumb::engine {

void SelfSeries::emit(uint32_t& series, const char* name, const char* unit, uint32_t kind,
                      const char* help, double value, int64_t now_ns) {
  if (series == 0) {
    SeriesInfo info;
    info.id = ids_.next();
    info.plugin = "engine";
    info.name = name;
    info.unit = unit;
    info.help = help;
    info.kind = kind;
    info.labels = {{"plugin", process_}};
    sink_.on_series(info);
    series = info.id;
  }
  sink_.on_samples({{series, now_ns, value}});
}

void SelfSeries::emit_cpu(double cpu_seconds, int64_t now_ns) {
  cpu_seconds_ = std::max(cpu_seconds_, cpu_seconds);
  emit(cpu_, "plumb_cpu_seconds_total", "seconds", PLUMB_KIND_COUNTER,
       "Processor time of the process", cpu_seconds_, now_ns);
}

void SelfSeries::emit_memory(double resident_bytes, int64_t now_ns) {
  emit(memory_, "plumb_resident_bytes", "bytes", PLUMB_KIND_GAUGE, "Memory of the process",
       resident_bytes, now_ns);
}

void SelfSeries::emit_dropped(uint64_t signals, int64_t now_ns) {
  emit(dropped_, "plumb_dropped_total", "1", PLUMB_KIND_COUNTER,
       "Signals of the plugin dropped at a limit", static_cast<double>(signals), now_ns);
}

void SelfSeries::emit_sampling(const Sampling& sampling, int64_t now_ns) {
  emit(interval_, "plumb_collect_interval_seconds", "seconds", PLUMB_KIND_GAUGE,
       "Time between two samples, as of now", static_cast<double>(sampling.interval_ns) / 1e9,
       now_ns);
  emit(late_, "plumb_collect_late_seconds", "seconds", PLUMB_KIND_GAUGE,
       "How late the latest sample of the last second began",
       static_cast<double>(sampling.late_ns) / 1e9, now_ns);
  emit(skipped_, "plumb_collects_skipped_total", "samples", PLUMB_KIND_COUNTER,
       "Samples passed over because the one before took too long",
       static_cast<double>(sampling.skipped), now_ns);
  emit(failed_, "plumb_collects_failed_total", "samples", PLUMB_KIND_COUNTER, "Samples that failed",
       static_cast<double>(sampling.failed), now_ns);
}

}  // namespace plumb::engine
