// Facts: named numbers computed once from a run, and the only thing conclusions may rest on.
#ifndef PLUMB_CORE_FACTS_FACTS_H_
#define PLUMB_CORE_FACTS_FACTS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/signal/signal.h"
#include "core/store/run_file.h"

namespace plumb::facts {

// One number. `unit` is seconds, bytes, ratio, requests/s, ... as the series declared it.
struct Fact {
  std::string id;    // "F12": its place in the set
  std::string name;  // series.statistic, such as host_cpu_busy_ratio.mean, or derived, such as
                     // ledger.app.cpu
  double value = 0;
  std::string unit;
  Labels labels;
  int64_t start_ns = 0;  // the window it speaks of
  int64_t end_ns = 0;
  std::string source;  // the plugin, or "ledger", "validity", ...
  std::string help = {};
};

struct Window {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  double seconds() const { return static_cast<double>(end_ns - start_ns) / 1e9; }
};

// Facts in the order they were added; a name with the same labels is added once.
class FactSet {
 public:
  // Gives the fact its id and keeps it. A value that is not finite is not kept (null is returned):
  // an unknown number is absent, never zero.
  const Fact* add(Fact fact);
  const Fact* add(const Window& window, std::string source, std::string name, double value,
                  std::string unit, Labels labels = {}, std::string help = {});
  // The fact of that name and exactly those labels, or null.
  const Fact* find(std::string_view name, const Labels& labels = {}) const;
  // Every fact of that name, in order.
  std::vector<const Fact*> all(std::string_view name) const;
  // The value, or `fallback` when there is no such fact.
  double value_or(std::string_view name, double fallback, const Labels& labels = {}) const;
  std::optional<double> value(std::string_view name, const Labels& labels = {}) const;
  const Fact* by_id(std::string_view id) const;
  size_t size() const { return facts_.size(); }
  const std::deque<Fact>& list() const { return facts_; }

 private:
  std::deque<Fact> facts_;  // a deque, so that the pointers given out stay valid
  std::map<std::string, std::vector<size_t>, std::less<>> by_name_;
};

// `window` in equal parts: at most `most` of them, each of a second at least.
std::vector<Window> equal_parts(const Window& window, size_t most);

// The window conclusions rest on: from the start of the first steady stage or spike to the end of
// the last one; of a run that only ramps, its ramps. Empty when the run never got there.
std::optional<Window> steady_window(const store::RunData& run);

// Every statistic of every series over the steady window:
//   counter    .delta .rate, and .per_request when requests completed
//   gauge      .mean .min .max .p95 .last .slope (per second) .late_slope (of the later half)
//              .tau (see kendall_tau)
//   histogram  .count .mean .p50 .p90 .p95 .p99 .p999 .max (in seconds)
// and the derived facts, see derived.h: about requests, their latency and phases, bursts, and what
// changed under even load
// and, of an imported run, what the tool that made the load had computed itself (the document
// told_facts), where nothing of that name could be computed;
// with latency.*, phase.*, requests.count, .rate, .failed and .error_rate also per `endpoint`.
// The same run gives bit-identical facts.
FactSet compute(const store::RunData& run);

// Of another window of the run: the same without the facts of bursts and changes, and of the series
// that `keep` wants, or of all.
using SeriesFilter = std::function<bool(const SeriesInfo&)>;
FactSet compute(const store::RunData& run, const Window& window, const SeriesFilter& keep = {});

// The stages that are judged by themselves: those under load that are no warm-up, as they went.
std::vector<StageSpan> judged_stages(const store::RunData& run);

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_FACTS_H_
