#include "core/facts/recovery.h"

#include <algorithm>

#include "core/facts/load_level.h"
#include "core/facts/statistics.h"

namespace plumb::facts {
namespace {

// Near what it was: latency within half as much again and 2 ms, failures within a hundredth.
constexpr double kSlower = 1.5;
constexpr double kSlowerSeconds = 0.002;
constexpr double kMoreFailures = 0.01;
constexpr size_t kInARow = 3;

double p95_of(const ResponseInterval& interval) {
  return interval.ok.quantile(0.95).value_or(0) / 1e9;
}

double failure_share(const ResponseInterval& interval) {
  const auto all = static_cast<double>(interval.ok.count() + interval.failed);
  return all > 0 ? static_cast<double>(interval.failed) / all : 0;
}

void merge_into(ResponseInterval& into, const ResponseInterval& from) {
  (void)into.ok.merge(from.ok);
  into.failed += from.failed;
}

ResponseInterval between(const std::vector<ResponseInterval>& intervals, int64_t from_ns,
                         int64_t to_ns) {
  ResponseInterval out;
  for (const ResponseInterval& interval : intervals)
    if (interval.start_ns >= from_ns && interval.end_ns <= to_ns) merge_into(out, interval);
  return out;
}

bool is_near(const ResponseInterval& interval, const ResponseInterval& base) {
  return interval.ok.count() > 0 && p95_of(interval) <= p95_of(base) * kSlower + kSlowerSeconds &&
         failure_share(interval) <= failure_share(base) + kMoreFailures;
}

// Where the first row of good intervals after `end_ns` begins.
std::optional<int64_t> recovered_at(const std::vector<ResponseInterval>& intervals, int64_t end_ns,
                                    const ResponseInterval& base) {
  size_t row = 0;
  int64_t began_ns = 0;
  for (const ResponseInterval& interval : intervals) {
    if (interval.start_ns < end_ns) continue;
    if (!is_near(interval, base)) {
      row = 0;
      continue;
    }
    if (row++ == 0) began_ns = interval.start_ns;
    if (row == kInARow) return began_ns;
  }
  return std::nullopt;
}

// The steady load behind stage `spike`, as long as it is the same as the steady load before it.
std::optional<Window> calm_after(const store::RunData& run, size_t spike) {
  std::optional<Window> before;
  for (size_t i = 0; i < spike; ++i)
    if (run.stages[i].kind == PLUMB_STAGE_STEADY)
      before = Window{run.stages[i].start_ns, run.stages[i].end_ns};
  std::optional<Window> after;
  for (size_t i = spike + 1; i < run.stages.size(); ++i) {
    const Window stage{run.stages[i].start_ns, run.stages[i].end_ns};
    if (run.stages[i].kind != PLUMB_STAGE_STEADY || !before || !is_same_load(run, *before, stage))
      break;
    after = Window{after ? after->start_ns : stage.start_ns, stage.end_ns};
  }
  return after;
}

}  // namespace

void add_recovery(const store::RunData& run, FactSet& facts) {
  const bool has_spike =
      std::any_of(run.stages.begin(), run.stages.end(),
                  [](const StageSpan& stage) { return stage.kind == PLUMB_STAGE_SPIKE; });
  if (!has_spike) return;
  const std::vector<ResponseInterval> intervals = response_intervals(run);
  ResponseInterval base;
  for (size_t i = 0; i < run.stages.size(); ++i) {
    const StageSpan& stage = run.stages[i];
    const ResponseInterval here = between(intervals, stage.start_ns, stage.end_ns);
    if (stage.kind == PLUMB_STAGE_STEADY) merge_into(base, here);
    if (stage.kind != PLUMB_STAGE_SPIKE || base.ok.count() == 0) continue;
    const auto add = [&](const char* name, double value, const char* unit) {
      facts.add({stage.start_ns, stage.end_ns}, "http_load", name, value, unit,
                {{"stage", stage.name}});
    };
    add("spike.base_p95", p95_of(base), "seconds");
    add("spike.p95", p95_of(here), "seconds");
    const auto at = recovered_at(intervals, stage.end_ns, base);
    add("spike.recovered", at ? 1 : 0, "1");
    if (at) add("spike.recovery", static_cast<double>(*at - stage.end_ns) / 1e9, "seconds");
    const std::optional<Window> calm = calm_after(run, i);
    if (at || !calm) continue;
    const ResponseInterval later =
        between(intervals, (calm->start_ns + calm->end_ns) / 2, calm->end_ns);
    if (is_near(later, base)) continue;
    add("spike.unrecovered", calm->seconds(), "seconds");
    if (later.ok.count() > 0) add("spike.later_p95", p95_of(later), "seconds");
    add("spike.later_error_rate", failure_share(later), "ratio");
  }
}

}  // namespace plumb::facts
