#include "core/diagnose/surroundings.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "core/base/number_text.h"
#include "core/facts/statistics.h"
#include "core/facts/trend.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

constexpr size_t kFewestIntervals = 10;  // of responses, to see a trend in them
constexpr double kFalling = -0.4;        // Kendall's tau
constexpr double kSlowStart = 1.25;      // its first fifth against its later part
constexpr double kMostStolen = 0.03;     // of all processors
constexpr double kMostOthers = 0.2;      // of all processors, on a machine that has none to spare
constexpr double kBusyHost = 0.85;
constexpr double kLongSilence = 5;      // times the usual gap between two samples
constexpr double kShortestSilence = 2;  // seconds
// With fewer, a sampler that tells something every few seconds and at a stage's ends has no usual
// gap yet.
constexpr size_t kFewestGaps = 5;

class Surroundings {
 public:
  Surroundings(const store::RunData& run, const facts::Window& window, FactSet& facts)
      : run_(run), window_(window), facts_(facts) {}

  std::vector<ValidityCheck> checks() {
    warm_up();
    host();
    silences();
    clock();
    disturbances();
    return std::move(checks_);
  }

 private:
  void check(const char* name, bool passed, std::string sentence,
             std::initializer_list<const Fact*> evidence, bool fatal = false) {
    ValidityCheck out{name, passed, fatal, std::move(sentence), {}};
    for (const Fact* fact : evidence)
      if (fact != nullptr) out.evidence.push_back(fact->id);
    checks_.push_back(std::move(out));
  }

  const Fact* derive(const std::string& name, double value, const std::string& unit,
                     const Labels& labels = {}) {
    return facts_.add(window_, "validity", name, value, unit, labels);
  }

  // Only of a run whose window is one stage: latency may well fall when the load does.
  void warm_up() {
    size_t stages = 0;
    for (const StageSpan& stage : facts::judged_stages(run_))
      if (stage.start_ns < window_.end_ns && stage.end_ns > window_.start_ns) ++stages;
    if (stages != 1) return;
    std::vector<facts::TrendPoint> points;
    for (const facts::ResponseInterval& interval : facts::response_intervals(run_))
      if (interval.start_ns >= window_.start_ns && interval.end_ns <= window_.end_ns &&
          interval.ok.count() > 0)
        points.push_back({static_cast<double>(interval.end_ns) / 1e9,
                          interval.ok.quantile(0.5).value_or(0) / 1e9});
    const auto tau = facts::kendall_tau(points);
    if (!tau || points.size() < kFewestIntervals) return;
    const size_t fifth = points.size() / 5;
    const double early = mean(points, 0, fifth);
    const double later = mean(points, 2 * fifth, points.size());
    if (later <= 0) return;
    const bool cold = *tau <= kFalling && early >= kSlowStart * later;
    check("warm-up-over", !cold,
          cold ? "Latency was still falling, from " + seconds_text(early) + " to " +
                     seconds_text(later) +
                     " in the median: the warm-up was too short. Make load.warmup longer."
               : "Latency did not fall from the beginning on.",
          {derive("validity.latency_tau", *tau, "1"),
           derive("validity.early_latency", early / later, "ratio")});
  }

  static double mean(const std::vector<facts::TrendPoint>& points, size_t from, size_t to) {
    double sum = 0;
    for (size_t i = from; i < to; ++i) sum += points[i].value;
    return sum / static_cast<double>(to - from);
  }

  void host() {
    const auto cpus = facts_.value("host_cpus.mean");
    if (!cpus || *cpus <= 0) return;
    const auto stolen = facts_.value("host_cpu_seconds_total.rate", {{"mode", "steal"}});
    const auto others = facts_.value("others_cpu_seconds_total.rate");
    const double busy = facts_.value_or("host_cpu_busy_ratio.mean", 0);
    const Fact* steal = stolen ? derive("validity.steal", *stolen / *cpus, "ratio") : nullptr;
    const Fact* strangers = others ? derive("validity.others", *others / *cpus, "ratio") : nullptr;
    std::string disturbed;
    if (steal != nullptr && steal->value > kMostStolen)
      disturbed = "the hypervisor kept " + ratio_text(steal->value) + " of the processors' time";
    if (strangers != nullptr && strangers->value > kMostOthers && busy > kBusyHost) {
      if (!disturbed.empty()) disturbed += ", and ";
      disturbed += "programs that are not the target's took " + ratio_text(strangers->value) +
                   " of the processors of a machine that had none to spare";
    }
    if (steal == nullptr && strangers == nullptr) return;
    const bool hopeless = steal != nullptr && steal->value > kTooMuchStolen;
    std::string sentence = disturbed.empty() ? "Nobody else took the processors."
                                             : "The machine was not quiet: " + disturbed + ".";
    if (hopeless)
      sentence +=
          " That is in the time of every layer, and none can be told from it: measure again.";
    check(kHostQuiet, disturbed.empty(), std::move(sentence), {steal, strangers}, hopeless);
  }

  // The longest stretch of the window in which a plugin said nothing, by its most talkative series:
  // one that it declares late or ends early is no gap.
  void silences() {
    std::map<std::string, const store::SeriesData*> loudest;
    for (const store::SeriesData& series : run_.series) {
      if (series.times_ns.size() < 3 || series.info.plugin == "engine") continue;
      const store::SeriesData*& known = loudest[series.info.plugin];
      if (known == nullptr || known->times_ns.size() < series.times_ns.size()) known = &series;
    }
    std::string silent;
    std::vector<std::string> evidence;
    for (const auto& [plugin, series] : loudest) {
      const auto [longest, usual] = gaps_of(series->times_ns);
      if (longest < std::max(kShortestSilence, kLongSilence * usual)) continue;
      const Fact* fact =
          derive("validity.longest_silence", longest, "seconds", {{"plugin", plugin}});
      if (fact != nullptr) evidence.push_back(fact->id);
      silent += (silent.empty() ? "" : ", ") + plugin + " for " + seconds_text(longest);
    }
    if (silent.empty()) return;
    ValidityCheck out{"samples-whole", false, false,
                      "Samplers were silent within the measurement: " + silent +
                          "; what happened meanwhile is missing from their lines.",
                      std::move(evidence)};
    checks_.push_back(std::move(out));
  }

  // Longest and median gap between two samples that lie in the window, or around it, in seconds.
  std::pair<double, double> gaps_of(const std::vector<int64_t>& times) const {
    std::vector<double> gaps;
    for (size_t i = 1; i < times.size(); ++i) {
      const int64_t from = std::max(times[i - 1], window_.start_ns);
      const int64_t to = std::min(times[i], window_.end_ns);
      if (to > from) gaps.push_back(static_cast<double>(to - from) / 1e9);
    }
    if (gaps.size() < kFewestGaps) return {0, 0};
    std::sort(gaps.begin(), gaps.end());
    return {gaps.back(), gaps[gaps.size() / 2]};
  }

  void clock() {
    for (const Event& event : run_.events) {
      if (event.kind != "clock-step" && event.kind != "server-clock-jumped") continue;
      if (event.time_ns < window_.start_ns || event.time_ns > window_.end_ns) continue;
      check("clock-steady", false,
            "A wall clock was set during the measurement: " + event.message +
                ". Times taken from it may be wrong; plumb's own are not.",
            {});
      return;
    }
  }

  // What plugins tell of that changes what is measured. Kinds, not levels: a sampler that looks
  // less often warns too.
  void disturbances() {
    static const std::set<std::string_view> kKinds = {"target-lost",
                                                      "target-restarted",
                                                      "app-restarted",
                                                      "database-lost",
                                                      "database-restarted",
                                                      "database-replaced",
                                                      "database-role-changed",
                                                      "sqlite-database-gone",
                                                      "sqlite-database-replaced",
                                                      "sqlite-database-restored"};
    std::string told;
    std::set<std::string> seen;
    for (const Event& event : run_.events) {
      if (kKinds.count(event.kind) == 0 || event.time_ns < window_.start_ns ||
          event.time_ns > window_.end_ns || !seen.insert(event.kind).second)
        continue;
      told += (told.empty() ? "" : "; ") + event.message + " (" +
              seconds_text(static_cast<double>(event.time_ns - run_.header.started_ns) / 1e9) +
              " into the run)";
    }
    if (told.empty()) return;
    told[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(told[0])));
    check(kUndisturbed, false, told + ".", {});
  }

  const store::RunData& run_;
  const facts::Window window_;
  FactSet& facts_;
  std::vector<ValidityCheck> checks_;
};

}  // namespace

std::vector<ValidityCheck> check_surroundings(const store::RunData& run,
                                              const facts::Window& window, FactSet& facts) {
  return Surroundings(run, window, facts).checks();
}

}  // namespace plumb::diagnose
