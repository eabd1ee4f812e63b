#include "core/facts/recovery.h"

#include <algorithm>
#include <map>

namespace plumb::facts {
namespace {

// Near what it was: latency within half as much again and 2 ms, failures within a hundredth.
constexpr double kSlower = 1.5;
constexpr double kSlowerSeconds = 0.002;
constexpr double kMoreFailures = 0.01;
constexpr size_t kInARow = 3;

// The responses of one interval, of all endpoints.
struct Second {
  int64_t start_ns = 0;
  Histogram ok;
  uint64_t failed = 0;

  double p95() const { return ok.quantile(0.95).value_or(0) / 1e9; }
  double failure_share() const {
    const auto all = static_cast<double>(ok.count() + failed);
    return all > 0 ? static_cast<double>(failed) / all : 0;
  }
};

// By the end of the interval.
std::map<int64_t, Second> seconds_of(const store::RunData& run) {
  std::map<int64_t, Second> out;
  for (const store::SeriesData& series : run.series) {
    if (series.info.name != "http_response_seconds") continue;
    const bool ok = label_of(series.info.labels, "outcome") == "ok";
    for (const HistogramRecord& record : series.histograms) {
      Second& second = out[record.end_ns];
      second.start_ns = record.start_ns;
      if (ok)
        (void)second.ok.merge(record.histogram);
      else
        second.failed += record.histogram.count();
    }
  }
  return out;
}

Second merged(const std::map<int64_t, Second>& seconds, int64_t from_ns, int64_t to_ns) {
  Second out;
  for (const auto& [end_ns, second] : seconds) {
    if (second.start_ns < from_ns || end_ns > to_ns) continue;
    (void)out.ok.merge(second.ok);
    out.failed += second.failed;
  }
  return out;
}

bool is_near(const Second& second, const Second& base) {
  return second.ok.count() > 0 && second.p95() <= base.p95() * kSlower + kSlowerSeconds &&
         second.failure_share() <= base.failure_share() + kMoreFailures;
}

// Where the first row of good seconds after `end_ns` begins.
std::optional<int64_t> recovered_at(const std::map<int64_t, Second>& seconds, int64_t end_ns,
                                    const Second& base) {
  size_t row = 0;
  int64_t began_ns = 0;
  for (const auto& [second_end_ns, second] : seconds) {
    if (second.start_ns < end_ns) continue;
    if (!is_near(second, base)) {
      row = 0;
      continue;
    }
    if (row++ == 0) began_ns = second.start_ns;
    if (row == kInARow) return began_ns;
  }
  return std::nullopt;
}

}  // namespace

void add_recovery(const store::RunData& run, FactSet& facts) {
  std::map<int64_t, Second> seconds;
  Second base;
  for (const StageSpan& stage : run.stages) {
    if (stage.kind == PLUMB_STAGE_WARMUP) continue;
    if (seconds.empty()) seconds = seconds_of(run);
    const Second here = merged(seconds, stage.start_ns, stage.end_ns);
    if (stage.kind == PLUMB_STAGE_STEADY) {
      (void)base.ok.merge(here.ok);
      base.failed += here.failed;
    }
    if (stage.kind != PLUMB_STAGE_SPIKE || base.ok.count() == 0) continue;
    const auto add = [&](const char* name, double value, const char* unit) {
      facts.add({.id = {},
                 .name = name,
                 .value = value,
                 .unit = unit,
                 .labels = {{"stage", stage.name}},
                 .start_ns = stage.start_ns,
                 .end_ns = stage.end_ns,
                 .source = "http_load"});
    };
    add("spike.base_p95", base.p95(), "seconds");
    add("spike.p95", here.p95(), "seconds");
    const auto at = recovered_at(seconds, stage.end_ns, base);
    add("spike.recovered", at ? 1 : 0, "1");
    if (at) add("spike.recovery", static_cast<double>(*at - stage.end_ns) / 1e9, "seconds");
  }
}

}  // namespace plumb::facts
