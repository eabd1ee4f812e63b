#include "core/compare/measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "core/base/number_text.h"
#include "core/compare/bootstrap.h"
#include "core/compare/slice.h"
#include "core/diagnose/diagnosis.h"
#include "core/diagnose/ledger.h"
#include "core/facts/facts.h"
#include "core/facts/random.h"

namespace plumb::compare {
namespace {

using facts::Fact;
using facts::FactSet;

constexpr std::array<const char*, kQuantiles.size()> kQuantileNames = {"p50", "p90", "p95", "p99",
                                                                       "p999"};

// A quantile rests on the requests beyond it: so many of them at the least.
constexpr double kFewestBeyond = 10;
constexpr double kFewestCalls = 30;
// What happens as seldom as once in so many seconds makes short runs differ.
constexpr double kSeldom = 90;
constexpr double kLineFloor = 0.03;    // of a ledger line
constexpr double kTotalFloor = 0.005;  // of the ledger's total

class Measuring {
 public:
  Measuring(const store::RunData& run, uint64_t seed) : run_(run), seed_(seed) {}

  Result<RunMeasures> measure() {
    describe();
    FactSet facts = facts::compute(run_);
    PLUMB_ASSIGN_OR_RETURN(const diagnose::Diagnosis diagnosis, diagnose::diagnose(run_, facts));
    judge(diagnosis);
    const auto window = facts::steady_window(run_);
    if (!window) return std::move(out_);
    out_.machine = {
        .stolen = facts.value_or("validity.steal", 0),
        .generator_s = facts.value_or("generator_cpu_seconds_total.per_request", 0),
        .received_bytes = facts.value_or("http_received_bytes_total.per_request", 0),
        .connections_opened = facts.value_or("http_connections_opened_total.per_request", 0),
        .rate = facts.value_or("requests.rate", 0)};
    out_.window_s = window->seconds();
    out_.requests = facts.value_or("requests.count", 0);
    if (out_.insufficient.empty() && out_.window_s < kFewestBlocks * kLeastBlock)
      out_.insufficient = "run " + out_.id + " measured " + grouped(out_.window_s) + " s" +
                          "; at least " + grouped(kFewestBlocks * kLeastBlock) +
                          " s are needed to tell a change from chance (load.duration)";
    if (!out_.insufficient.empty()) return std::move(out_);
    add_traffic(facts, *window);
    add_ledger(diagnosis.ledger, *window);
    add_queries(facts);
    return std::move(out_);
  }

 private:
  void describe() {
    out_.id = run_.header.id;
    out_.name = run_.header.name;
    out_.started_unix_ms = run_.header.started_unix_ms;
    out_.plan = run_.header.plan;
    out_.environment = run_.header.environment;
    out_.has_stacks = static_cast<bool>(run_.stacks);
  }

  void judge(const diagnose::Diagnosis& diagnosis) {
    out_.verdict = diagnosis.verdict.label;
    for (const diagnose::Finding& found : diagnosis.findings)
      out_.causes.push_back({found.cause, found.layer, found.says, found.cost_ms});
    for (const diagnose::SloResult& slo : diagnosis.slos) {
      const std::string told = slo.metric + (slo.endpoint.empty() ? "" : " of " + slo.endpoint) +
                               (slo.metric == "rate" ? " >= " : " <= ") + slo.limit;
      (slo.met ? out_.met : out_.breached).push_back(told);
    }
    if (diagnosis.validity.status != diagnose::ValidityStatus::kValid) {
      out_.insufficient = "run " + out_.id + " is not valid";
      for (const diagnose::ValidityCheck& check : diagnosis.validity.checks)
        if (!check.passed && check.fatal) {
          out_.insufficient += ": " + check.sentence;
          while (out_.insufficient.back() == '.') out_.insufficient.pop_back();
          break;
        }
    } else if (run_.state != store::RunState::kFinished) {
      out_.insufficient = "run " + out_.id + " did not end in order (" +
                          std::string(store::run_state_name(run_.state)) + ")";
    }
  }

  // The overall figures and, where there are several, each endpoint's.
  void add_traffic(const FactSet& facts, const facts::Window& window) {
    std::vector<std::string> endpoints;
    for (const Fact* fact : facts.all("requests.count"))
      if (const std::string endpoint = label_of(fact->labels, "endpoint"); !endpoint.empty())
        endpoints.push_back(endpoint);
    add_endpoint(facts, window, {});
    if (endpoints.size() < 2) return;
    for (const std::string& endpoint : endpoints) add_endpoint(facts, window, endpoint);
  }

  void add_endpoint(const FactSet& facts, const facts::Window& window,
                    const std::string& endpoint) {
    const Labels labels = endpoint.empty() ? Labels{} : Labels{{"endpoint", endpoint}};
    const Cells cells = response_cells(run_, window, endpoint);
    const auto rate = facts.value("requests.rate", labels);
    if (cells.cells.empty() || !rate) return;
    const double failed = facts.value_or("requests.failed", 0, labels);
    const double all = facts.value_or("requests.count", 0, labels);
    const double succeeded = all - failed;
    const auto least = static_cast<size_t>(std::ceil(kLeastBlock / cells.cell_s - 1e-6));
    const size_t block = block_cells(cells, std::max<size_t>(least, 1));
    const double blocks = static_cast<double>(cells.cells.size()) / static_cast<double>(block);
    if (endpoint.empty()) {
      out_.block_s = static_cast<double>(block) * cells.cell_s;
      out_.blocks = static_cast<size_t>(blocks);
    }
    const double freedom = std::max(1.0, blocks - 1);
    Spread spread;
    if (succeeded > 0)
      spread = resample(cells, block, kResamples, facts::seed_for(seed_, endpoint));
    const auto put = [&](const std::string& metric, const std::string& unit, double value,
                         double variance, double beyond_share) {
      Measure measure;
      measure.metric = metric;
      measure.subject = endpoint;
      measure.unit = unit;
      measure.value = value;
      measure.floor = run_floor(metric, out_.window_s);
      measure.higher_is_better = metric == "throughput";
      if (!(value > 0) || !(succeeded > 0)) {
        measure.insufficient = "no request succeeded in run " + out_.id;
      } else {
        measure.estimate = {std::log(value), variance, freedom};
        if (const double needed = std::ceil(kFewestBeyond / beyond_share - 1e-6); all < needed)
          measure.insufficient =
              grouped(needed) + " requests are needed; run " + out_.id + " has " + grouped(all);
      }
      out_.measures.push_back(std::move(measure));
    };
    const auto latency = [&](const char* name) {
      return facts.value_or(std::string("latency.") + name, 0, labels);
    };
    put("mean", "seconds", latency("mean"), spread.mean, 0.5);
    for (size_t q = 0; q < kQuantiles.size(); ++q)
      put(kQuantileNames[q], "seconds", latency(kQuantileNames[q]), spread.quantiles[q],
          1 - kQuantiles[q]);
    put("throughput", "requests/s", succeeded / window.seconds(), spread.throughput, 0.5);
    add_error_rate(endpoint, failed, all, spread.error_rate, freedom);
  }

  // Chance alone gives a share of n requests a variance, also where none failed.
  void add_error_rate(const std::string& endpoint, double failed, double all, double variance,
                      double freedom) {
    Measure measure;
    measure.metric = "error_rate";
    measure.subject = endpoint;
    measure.unit = "ratio";
    measure.by_ratio = false;
    if (all > 0) {
      const double guess = (failed + 1) / (all + 2);
      measure.value = failed / all;
      measure.estimate = {measure.value, std::max(variance, guess * (1 - guess) / all), freedom};
      measure.floor = run_floor("error_rate", out_.window_s) * measure.value;
    } else {
      measure.insufficient = "no request ended in run " + out_.id;
    }
    out_.measures.push_back(std::move(measure));
  }

  // What is left over goes by the name that it has in the whole run: in a short block another
  // resource may happen to look full.
  static std::map<std::string, double> lines_of(const diagnose::Ledger& ledger,
                                                const std::string& rest) {
    std::map<std::string, double> out;
    for (const diagnose::LedgerLine& line : ledger.lines)
      out[is_rest(line.key) ? rest : line.key] += line.ms;
    return out;
  }

  static bool is_rest(std::string_view key) {
    return key == "unexplained" || key.starts_with("queue.");
  }

  void add_ledger(const diagnose::Ledger& whole, const facts::Window& window) {
    if (!(whole.total_ms > 0)) return;
    out_.ledger_total_ms = whole.total_ms;
    std::string rest = "unexplained";
    for (const diagnose::LedgerLine& line : whole.lines)
      if (is_rest(line.key) && line.ms > 0) rest = line.key;
    std::map<std::string, std::vector<double>> blocks;
    size_t count = 0;
    for (const facts::Window& part : split(window, std::max(out_.block_s, kLeastBlock))) {
      FactSet facts = facts::compute(run_, part, diagnose::feeds_ledger);
      const diagnose::Ledger ledger = diagnose::build_ledger(run_, part, facts);
      if (!(ledger.total_ms > 0)) continue;
      ++count;
      for (const auto& [key, ms] : lines_of(ledger, rest)) blocks[key].push_back(ms);
    }
    std::set<std::string> done;
    for (const diagnose::LedgerLine& line : whole.lines) {
      if (!done.insert(line.key).second) continue;
      const double ms = whole.ms_of(line.key);
      if (line.key == "unexplained" && ms <= 0 && rest != line.key) continue;
      Measure measure;
      measure.kind = Kind::kLedger;
      measure.metric = "time_per_request";
      measure.subject = line.key;
      measure.label = line.label;
      measure.layer = line.layer;
      measure.unit = "seconds";
      measure.by_ratio = false;
      measure.value = ms / 1e3;
      measure.estimate = estimate_of(ms, blocks[line.key], count);
      measure.floor = std::hypot(kLineFloor * ms, kTotalFloor * whole.total_ms) / 1e3;
      out_.measures.push_back(std::move(measure));
    }
  }

  // Of the mean over blocks; a block that has no such line has none of it.
  static Estimate estimate_of(double ms, const std::vector<double>& blocks, size_t count) {
    const auto n = static_cast<double>(count);
    if (count < 2) return {ms / 1e3, 0, 1};
    double mean = 0;
    for (const double block : blocks) mean += block / n;
    double squares = static_cast<double>(count - blocks.size()) * mean * mean;
    for (const double block : blocks) squares += (block - mean) * (block - mean);
    return {ms / 1e3, squares / (n - 1) / n * 1e-6, n - 1};
  }

  // Statements have two samples, at both ends of the stage, so nothing is known of their spread
  // within the run but what counting gives.
  void add_queries(const FactSet& facts) {
    for (const Fact* calls : facts.all("pg_statement_calls_total.per_request")) {
      const auto total = facts.value("pg_statement_calls_total.delta", calls->labels);
      const auto seconds = facts.value("pg_statement_seconds_total.delta", calls->labels);
      if (!total || *total < kFewestCalls || !(calls->value > 0)) continue;
      Measure measure;
      measure.kind = Kind::kQuery;
      measure.metric = "calls_per_request";
      measure.subject = label_of(calls->labels, "query");
      measure.label = label_of(calls->labels, "statement");
      measure.layer = "database";
      measure.unit = "calls";
      measure.value = calls->value;
      measure.estimate = {std::log(calls->value), 1 / *total, *total};
      measure.floor = run_floor(measure.metric, out_.window_s);
      out_.measures.push_back(measure);
      if (!seconds || !(*seconds > 0)) continue;
      measure.metric = "time_per_call";
      measure.unit = "seconds";
      measure.value = *seconds / *total;
      // As if a call's time were spread like an exponential one.
      measure.estimate = {std::log(measure.value), 1 / *total, *total};
      measure.floor = run_floor(measure.metric, out_.window_s);
      out_.measures.push_back(std::move(measure));
    }
  }

  const store::RunData& run_;
  const uint64_t seed_;
  RunMeasures out_;
};

}  // namespace

double run_floor(std::string_view metric, double window_s) {
  double floor = 0.01;
  if (metric == "p999") floor = 0.02;
  if (metric == "throughput") floor = 0.005;
  if (metric == "error_rate") floor = 0.1;
  if (metric == "calls_per_request") floor = 0.02;
  if (metric == "time_per_call") floor = 0.05;
  return floor * std::sqrt(1 + kSeldom / std::max(window_s, 1.0));
}

const Measure* RunMeasures::find(Kind kind, std::string_view metric,
                                 std::string_view subject) const {
  for (const Measure& measure : measures)
    if (measure.kind == kind && measure.metric == metric && measure.subject == subject)
      return &measure;
  return nullptr;
}

Result<RunMeasures> measure(const store::RunData& run, uint64_t seed) {
  return Measuring(run, seed).measure();
}

}  // namespace plumb::compare
