#include "core/diagnose/changes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/number_text.h"
#include "core/facts/changes.h"

namespace plumb::diagnose {
namespace {

using facts::ChangeMeasure;
using facts::Fact;
using facts::FactSet;
using facts::Window;

constexpr double kLeastPart = 0.2;  // of what the mean moved by; smaller parts are not named
constexpr size_t kMostParts = 2;
constexpr double kTogether = 0.05;  // of the stretch: changes nearer than that are one

// 42 s, 5 min 12 s.
std::string clock_text(double seconds) {
  return seconds < 60 ? grouped(seconds) + " s" : seconds_text(seconds);
}

// Mean milliseconds of a request over the slices within a window.
struct Mean {
  double requests = 0;
  double total_ms = 0;
  std::map<std::string, double> ms;  // by key
};

Mean mean_over(const Ledger& ledger, const Window& window) {
  Mean out;
  for (const LedgerSlice& slice : ledger.slices) {
    if (slice.window.start_ns < window.start_ns || slice.window.end_ns > window.end_ns) continue;
    out.requests += slice.requests;
    out.total_ms += slice.total_ms * slice.requests;
    for (const auto& [key, ms] : slice.ms) out.ms[key] += ms * slice.requests;
  }
  if (out.requests <= 0) return out;
  out.total_ms /= out.requests;
  for (auto& [key, ms] : out.ms) ms /= out.requests;
  return out;
}

std::string line_text(const Ledger& ledger, const std::string& key) {
  if (key == "unexplained") return "spent on nothing that was watched";
  for (const LedgerLine& line : ledger.lines)
    if (line.key == key) return line.label.empty() ? line.layer : line.layer + ": " + line.label;
  // A line that only some slices have, such as a queue for what is full for a part of the run.
  std::string told = key;
  std::replace(told.begin(), told.end(), '_', ' ');
  if (const size_t dot = told.find('.'); dot != std::string::npos) told.replace(dot, 1, ": ");
  return told;
}

// "; of the 60.0 ms that requests take longer on average, 55.0 ms are database: lock waits"; empty
// where the ledger did not move the same way, or has no slices on both sides.
std::string moved_text(const Ledger& ledger, const Window& before, const Window& after, bool rose) {
  const Mean from = mean_over(ledger, before);
  const Mean to = mean_over(ledger, after);
  const double sign = rose ? 1 : -1;
  const double moved = (to.total_ms - from.total_ms) * sign;
  if (from.requests <= 0 || to.requests <= 0 || moved <= 0) return {};
  std::map<std::string, double> by_key;
  for (const auto& [key, ms] : to.ms) by_key[key] += ms * sign;
  for (const auto& [key, ms] : from.ms) by_key[key] -= ms * sign;
  std::vector<std::pair<std::string, double>> parts(by_key.begin(), by_key.end());
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string told;
  for (size_t i = 0; i < parts.size() && i < kMostParts; ++i) {
    if (parts[i].second < kLeastPart * moved) break;
    told += (told.empty() ? "" : ", ") + milliseconds_text(parts[i].second) + " ms are " +
            line_text(ledger, parts[i].first);
  }
  if (told.empty()) return {};
  return "; of the " + milliseconds_text(moved) + " ms that requests take " +
         (rose ? "longer" : "less") + " on average, " + told;
}

bool is_latency(const ChangeMeasure& measure) { return measure.name.starts_with("latency."); }

class Telling {
 public:
  Telling(const store::RunData& run, const FactSet& facts, const Ledger& ledger)
      : began_ns_(run.header.started_ns), facts_(facts), ledger_(ledger) {}

  std::vector<Change> tell() {
    for (const ChangeMeasure& measure : facts::change_measures()) look(measure);
    std::stable_sort(changes_.begin(), changes_.end(),
                     [](const Change& a, const Change& b) { return a.at_s < b.at_s; });
    return std::move(changes_);
  }

 private:
  void look(const ChangeMeasure& measure) {
    const Labels labels = {{"measure", std::string(measure.name)}};
    const Fact* first = facts_.find("change.first", labels);
    const Fact* last = facts_.find("change.last", labels);
    if (first == nullptr || last == nullptr) return;
    std::vector<const Fact*> steps;
    for (const Fact* at : facts_.all("change.at"))
      if (label_of(at->labels, "measure") == measure.name) steps.push_back(at);
    for (size_t i = 0; i < steps.size(); ++i) tell_step(measure, steps, i);
    if (steps.empty() && first->value != last->value) tell_slope(measure, *first, *last);
  }

  void tell_step(const ChangeMeasure& measure, const std::vector<const Fact*>& steps, size_t i) {
    const Fact& at = *steps[i];
    const Fact* before = facts_.find("change.before", at.labels);
    const Fact* after = facts_.find("change.after", at.labels);
    if (before == nullptr || after == nullptr) return;
    const bool is_last = i + 1 == steps.size();
    std::string sentence =
        "At " + clock_text(at.value) + " " + moved(measure, *before, *after) +
        (is_last ? " and stayed there" : ", until " + clock_text(steps[i + 1]->value));
    if (is_latency(measure) && !is_told_by_median(measure, at.value))
      sentence += moved_text(ledger_, {i > 0 ? ns(steps[i - 1]->value) : at.start_ns, ns(at.value)},
                             {ns(at.value), is_last ? at.end_ns : ns(steps[i + 1]->value)},
                             after->value > before->value);
    changes_.push_back({std::string(measure.name),
                        false,
                        at.value,
                        before->value,
                        after->value,
                        before->unit,
                        sentence + ".",
                        {at.id, before->id, after->id}});
  }

  void tell_slope(const ChangeMeasure& measure, const Fact& first, const Fact& last) {
    const double from = static_cast<double>(first.start_ns - began_ns_) / 1e9;
    const double to = static_cast<double>(first.end_ns - began_ns_) / 1e9;
    std::string sentence = "From " + clock_text(from) + " to " + clock_text(to) + " " +
                           moved(measure, first, last) + ", bit by bit";
    const int64_t third = (first.end_ns - first.start_ns) / 3;
    if (is_latency(measure) && !is_told_by_median(measure, from))
      sentence += moved_text(ledger_, {first.start_ns, first.start_ns + third},
                             {first.end_ns - third, first.end_ns}, last.value > first.value);
    changes_.push_back({std::string(measure.name),
                        true,
                        from,
                        first.value,
                        last.value,
                        first.unit,
                        sentence + ".",
                        {first.id, last.id}});
  }

  // "p50 rose from 20.0 ms to 80.0 ms under the same load"
  static std::string moved(const ChangeMeasure& measure, const Fact& from, const Fact& to) {
    const bool is_rate = measure.name == "requests.rate";
    return std::string(measure.told) + (to.value > from.value ? " rose" : " fell") + " from " +
           told_value(from.value, from.unit) + " to " + told_value(to.value, to.unit) +
           (is_rate ? " though as much load was asked for" : " under the same load");
  }

  // Whether p50 changed at that time too, so that what moved in the ledger has been told.
  bool is_told_by_median(const ChangeMeasure& measure, double at_s) const {
    if (measure.name == "latency.p50") return false;
    return std::any_of(changes_.begin(), changes_.end(), [&](const Change& change) {
      const Fact* stretch = facts_.find("change.first", {{"measure", change.measure}});
      if (change.measure != "latency.p50" || stretch == nullptr) return false;
      const double length = static_cast<double>(stretch->end_ns - stretch->start_ns) / 1e9;
      return std::fabs(change.at_s - at_s) <= kTogether * length;
    });
  }

  int64_t ns(double seconds) const {
    return began_ns_ + static_cast<int64_t>(std::llround(seconds * 1e9));
  }

  const int64_t began_ns_;
  const FactSet& facts_;
  const Ledger& ledger_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> tell_changes(const store::RunData& run, const FactSet& facts,
                                 const Ledger& ledger) {
  return Telling(run, facts, ledger).tell();
}

}  // namespace plumb::diagnose
