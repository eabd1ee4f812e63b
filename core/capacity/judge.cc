#include "core/capacity/judge.h"

#include <algorithm>
#include <chrono>

#include "core/base/number_text.h"
#include "core/diagnose/slo.h"
#include "core/diagnose/validity.h"
#include "core/plan/quantity.h"

namespace plumb::capacity {
namespace {

using facts::FactSet;

constexpr double kMostErrors = 0.01;
constexpr double kMostSlower = 10;       // p99 against the baseline's, where nothing is promised
constexpr double kLeastLimit = 0.02;     // seconds; below it a shared machine's scheduler decides
constexpr double kFewestDue = 30;        // requests; fewer are no measurement
constexpr double kLateShare = 0.25;      // of the p99, begun late by the generator itself
constexpr double kGeneratorSpent = 0.7;  // of a processor
constexpr double kAllBusy = 0.95;        // of the connections
constexpr double kAsFastAsIdle = 1.5;    // times the baseline
constexpr int kWindowsInARow = 3;
constexpr int64_t kWindowNs = 1'000'000'000;

const diagnose::ValidityCheck* failed_check(const diagnose::Validity& validity, const char* name) {
  for (const diagnose::ValidityCheck& check : validity.checks)
    if (check.name == name && !check.passed) return &check;
  return nullptr;
}

std::string clause_of(const diagnose::SloResult& slo) {
  return slo.metric + (slo.endpoint.empty() ? "" : " of " + slo.endpoint);
}

// By how much a promise is missed, to name the one that failed worst; 0 where it could not be
// evaluated, which follows from another: no request succeeded.
double excess(const diagnose::SloResult& slo) {
  if (!slo.actual) return 0;
  return slo.margin ? 1 - *slo.margin : 1;
}

bool is_drained(const store::RunData& run) {
  for (const store::SeriesData& series : run.series)
    if (series.info.name == "http_in_flight" && !series.values.empty())
      return series.values.back() == 0;
  return true;
}

class Judgement {
 public:
  Judgement(const store::RunData& run, const Setting& setting, const Baseline& baseline)
      : run_(run), setting_(setting), baseline_(baseline), facts_(facts::compute(run)) {
    validity_ = diagnose::check_validity(run, facts_);
  }

  std::optional<Probe> probe() {
    if (failed_check(validity_, "generator-lived") != nullptr) return std::nullopt;
    measure();
    if (due_ < kFewestDue) {
      probe_.verdict = ProbeVerdict::kInsufficient;
      probe_.why = "Only " + grouped(due_) + " requests were due; at least " + grouped(kFewestDue) +
                   " are needed.";
      return probe_;
    }
    probe_.verdict = ProbeVerdict::kKept;
    judge_backlog();
    judge_promises();
    judge_generator();
    note_hiccup(probe_, baseline_);
    return probe_;
  }

 private:
  void measure() {
    const double seconds = std::max(facts_.value_or("window.seconds", 0), 1e-9);
    due_ = facts_.value_or("requests.scheduled", 0);
    ended_ = facts_.value_or("requests.count", 0);
    const double failed = facts_.value_or("requests.failed", 0);
    probe_.rate = setting_.rate;
    probe_.measure_s = seconds;
    probe_.offered = due_ / seconds;
    probe_.completed = ended_ / seconds;
    probe_.answered = (ended_ - failed) / seconds;
    probe_.error_rate = facts_.value_or("requests.error_rate", 0);
    probe_.p50_s = facts_.value("latency.p50");
    probe_.p95_s = facts_.value("latency.p95");
    probe_.p99_s = facts_.value("latency.p99");
    probe_.lag_p99_s = facts_.value("lag.p99");
    probe_.drained = is_drained(run_) && failed == 0;
    probe_.run_id = run_.header.id;
  }

  void miss(std::string clause, std::string why) {
    probe_.verdict = ProbeVerdict::kMissed;
    probe_.clause = std::move(clause);
    probe_.why = std::move(why);
  }

  void judge_backlog() {
    probe_.behind =
        falls_behind({due_, ended_, probe_.rate * baseline_.mean_s, setting_.random_gaps});
    if (!probe_.behind) return;
    miss(kBacklogClause, "Of " + grouped(due_) + " requests due, " + grouped(ended_) +
                             " ended in the same time: a backlog grows.");
  }

  // An objective is what was asked for, so it is named before a backlog that comes with it.
  void judge_promises() {
    double worst = -1;
    for (const diagnose::SloResult& result : diagnose::check_slos(run_, facts_)) {
      if (result.met || excess(result) <= worst) continue;
      worst = excess(result);
      miss(clause_of(result), result.sentence);
    }
  }

  void limited(std::string why) {
    probe_.verdict = ProbeVerdict::kGeneratorLimited;
    probe_.clause.clear();
    probe_.why = std::move(why);
  }

  void judge_generator() {
    probe_.spent = facts_.value_or("generator_cpu_seconds_total.rate", 0) >= kGeneratorSpent;
    if (const auto* check = failed_check(validity_, "generator-kept-up"))
      return limited(check->sentence);
    if (probe_.verdict != ProbeVerdict::kMissed) return;
    const double p99 = probe_.p99_s.value_or(0);
    const bool by_errors = probe_.clause.starts_with("error_rate");
    const double lag = probe_.lag_p99_s.value_or(0);
    if (!by_errors && p99 > 0 && lag >= kLateShare * p99)
      return limited("The generator itself began requests late, by " + seconds_text(lag) +
                     " at the 99th percentile.");
    const double in_flight = facts_.value_or("requests.concurrency", 0);
    // By Little's law, since those that a full target never answers have no service time.
    const double residence = probe_.completed > 0 ? in_flight / probe_.completed : 1e9;
    if (by_errors || setting_.connections == 0 || in_flight < kAllBusy * setting_.connections ||
        residence > kAsFastAsIdle * baseline_.mean_s)
      return;
    probe_.spent = true;
    limited("All " + grouped(setting_.connections) +
            " connections were busy, though the target answered as fast as when idle. Raise "
            "load.connections.");
  }

  const store::RunData& run_;
  const Setting& setting_;
  const Baseline& baseline_;
  FactSet facts_;
  diagnose::Validity validity_;
  double due_ = 0;
  double ended_ = 0;
  Probe probe_;
};

std::chrono::nanoseconds rounded_up_to_ms(double seconds) {
  const auto ms = static_cast<int64_t>(seconds * 1e3) + 1;
  return std::chrono::milliseconds(ms);
}

}  // namespace

std::vector<plan::Slo> promises_of(const std::vector<plan::Slo>& slos, const Baseline& baseline) {
  std::vector<plan::Slo> out;
  bool limits_errors = false;
  for (const plan::Slo& slo : slos) {
    if (slo.metric == "rate") continue;
    limits_errors = limits_errors || slo.metric == "error_rate";
    out.push_back(slo);
  }
  if (out.empty()) {
    const auto limit = rounded_up_to_ms(std::max(kMostSlower * baseline.p99_s, kLeastLimit));
    out.push_back({.endpoint = {},
                   .metric = "p99",
                   .limit = std::chrono::duration<double>(limit).count(),
                   .written = plan::format_duration(limit)});
  }
  if (!limits_errors)
    out.push_back({.endpoint = {},
                   .metric = "error_rate",
                   .limit = kMostErrors,
                   .written = plan::format_ratio(kMostErrors)});
  return out;
}

std::optional<Probe> judge(const store::RunData& run, const Setting& setting,
                           const Baseline& baseline) {
  return Judgement(run, setting, baseline).probe();
}

std::optional<Baseline> baseline_of(const store::RunData& run) {
  const FactSet facts = facts::compute(run);
  const auto mean = facts.value("latency.mean");
  const auto p50 = facts.value("latency.p50");
  const auto p99 = facts.value("latency.p99");
  if (!mean || !p50 || !p99) return std::nullopt;
  return Baseline{*mean, *p50, *p99};
}

std::optional<int64_t> recovered_at(const store::RunData& run) {
  const std::optional<facts::Window> all = facts::steady_window(run);
  if (!all) return std::nullopt;
  store::RunData window = run;
  int kept = 0;
  for (int64_t start = all->start_ns; start + kWindowNs <= all->end_ns; start += kWindowNs) {
    window.stages = {{PLUMB_STAGE_STEADY, "steady", start, start + kWindowNs}};
    const FactSet facts = facts::compute(window);
    const auto results = diagnose::check_slos(window, facts);
    const bool met = std::all_of(results.begin(), results.end(),
                                 [](const diagnose::SloResult& slo) { return slo.met; });
    kept = met && !results.empty() ? kept + 1 : 0;
    if (kept == kWindowsInARow) return start - (kWindowsInARow - 1) * kWindowNs;
  }
  return std::nullopt;
}

}  // namespace plumb::capacity
