#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/diagnose/diagnosis.h"
#include "core/diagnose/ledger.h"
#include "core/diagnose/rule_eval.h"
#include "core/diagnose/slo.h"
#include "core/diagnose/validity.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

constexpr double kThreatShare = 0.5;     // of the response time
constexpr double kWarningFailed = 0.01;  // of the requests, without any other finding
constexpr double kThreatFailed = 0.1;
constexpr double kUnexplainedDoubt = 0.2;    // lowers confidence
constexpr double kUnexplainedUnknown = 0.5;  // nothing may be concluded

Result<std::vector<Rule>> rules_of(const store::RunData& run) {
  std::vector<Rule> rules;
  if (!run.header.rules.is_array()) return rules;
  for (const auto& file : run.header.rules) {
    if (!file.is_object()) continue;
    PLUMB_ASSIGN_OR_RETURN(std::vector<Rule> parsed,
                           parse_rules(file.value("origin", "rules"), file.value("text", "")));
    for (Rule& rule : parsed) rules.push_back(std::move(rule));
  }
  return rules;
}

// How many requests per second the processors allow once `finding` costs nothing, and the latency
// that is left.
void add_what_if(Finding& finding, const Ledger& ledger, const FactSet& facts) {
  const double left_ms = std::max(0.0, ledger.total_ms - finding.cost_ms);
  finding.latency_without_ms = left_ms;
  finding.what_if = "If it were gone: about " + milliseconds_text(left_ms) + " ms per request";
  const auto cpus = facts.value("host_cpus.mean");
  double cpu_seconds = facts.value_or("target_cpu_seconds_total.per_request", 0) +
                       facts.value_or("pg_backend_cpu_seconds_total.per_request", 0);
  const bool is_cpu = finding.cause.find("cpu") != std::string::npos ||
                      finding.cause == "db-missing-index" || finding.cause == "db-n-plus-one" ||
                      finding.cause == "db-slow-query" ||
                      finding.cause == "app-single-thread-saturated";
  if (!cpus || cpu_seconds <= 0 || is_cpu) {
    finding.what_if += ".";
    return;
  }
  finding.throughput_bound = *cpus / cpu_seconds;
  const double bound = *finding.throughput_bound;
  const double rounded = bound <= 0
                             ? 0
                             : std::round(bound / std::pow(10, std::floor(std::log10(bound)) - 1)) *
                                   std::pow(10, std::floor(std::log10(bound)) - 1);
  finding.what_if += ", bound by the processors at about " + grouped(rounded) + "/s.";
}

// Findings by cost; one that another explains stands behind it.
void rank(std::vector<Finding>& findings, const std::vector<Rule>& rules) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.cost_ms > b.cost_ms; });
  const auto matched = [&](const std::string& cause) {
    return std::find_if(findings.begin(), findings.end(),
                        [&](const Finding& f) { return f.cause == cause; });
  };
  for (const Rule& rule : rules) {
    if (matched(rule.id) == findings.end()) continue;
    for (const std::string& other : rule.outranks)
      if (const auto found = matched(other); found != findings.end() && found->because_of.empty())
        found->because_of = rule.id;
  }
  std::stable_partition(findings.begin(), findings.end(),
                        [](const Finding& f) { return f.because_of.empty(); });
}

double doubt(const Ledger& ledger, const Validity& validity) {
  double doubt = 0;
  if (ledger.total_ms > 0 && ledger.unexplained_ms > kUnexplainedDoubt * ledger.total_ms)
    doubt += 0.2;
  if (ledger.total_ms > 0 && ledger.overlap_ms > kUnexplainedDoubt * ledger.total_ms) doubt += 0.1;
  for (const ValidityCheck& check : validity.checks)
    if (!check.passed && !check.fatal) doubt += 0.1;
  return doubt;
}

Verdict inconclusive(const Validity& validity) {
  Verdict verdict;
  verdict.label = "Inconclusive";
  for (const ValidityCheck& check : validity.checks)
    if (!check.passed && check.fatal) {
      verdict.conclusion = check.sentence;
      break;
    }
  return verdict;
}

std::string healthy_sentence(const Ledger& ledger, const FactSet& facts) {
  std::string sentence =
      "No bottleneck: requests take " + milliseconds_text(ledger.total_ms) + " ms on average";
  const auto largest =
      std::max_element(ledger.lines.begin(), ledger.lines.end(),
                       [](const LedgerLine& a, const LedgerLine& b) { return a.ms < b.ms; });
  if (largest != ledger.lines.end() && largest->key != "unexplained" && largest->ms > 0)
    sentence += ", most of it " + largest->layer + " " + largest->label + " (" +
                milliseconds_text(largest->ms) + " ms)";
  if (ledger.total_ms > 0 && ledger.unexplained_ms > kUnexplainedDoubt * ledger.total_ms)
    sentence += "; " + milliseconds_text(ledger.unexplained_ms) +
                " ms of it is spent on nothing that was watched";
  if (const auto busy = facts.value("host_cpu_busy_ratio.mean"))
    sentence += "; the processors are " + ratio_text(*busy) + " busy";
  return sentence + ".";
}

Verdict verdict_of(const Diagnosis& d, const FactSet& facts) {
  if (d.validity.status != ValidityStatus::kValid) return inconclusive(d.validity);
  Verdict verdict;
  const SloResult* breached = nullptr;
  for (const SloResult& slo : d.slos)
    if (!slo.met && breached == nullptr) breached = &slo;
  if (!d.findings.empty()) {
    const Finding& top = d.findings.front();
    verdict.bottleneck = top;
    verdict.conclusion = top.says;
    const bool threat = breached != nullptr || top.cost_ms >= kThreatShare * d.ledger.total_ms;
    verdict.label = threat ? "Threat" : "Warning";
    return verdict;
  }
  if (d.ledger.total_ms > 0 && d.ledger.unexplained_ms > kUnexplainedUnknown * d.ledger.total_ms &&
      breached != nullptr) {
    verdict.label = "Inconclusive";
    verdict.conclusion = breached->sentence + " " +
                         ratio_text(d.ledger.unexplained_ms / d.ledger.total_ms) +
                         " of the time is spent on nothing that was watched.";
    return verdict;
  }
  if (const double failed = facts.value_or("requests.error_rate", 0); failed > kWarningFailed) {
    verdict.label = failed > kThreatFailed ? "Threat" : "Warning";
    verdict.conclusion =
        ratio_text(failed) + " of the requests failed, and no layer explains it: see the errors.";
    return verdict;
  }
  verdict.label = breached != nullptr ? "Warning" : "Stable";
  verdict.conclusion =
      breached != nullptr ? "An objective is missed, but no layer stands out: " + breached->sentence
                          : healthy_sentence(d.ledger, facts);
  return verdict;
}

void add_slo_rows(Diagnosis& d, const FactSet& facts) {
  for (const SloResult& slo : d.slos) {
    if (slo.metric == "abort") {
      d.matrix.push_back(
          {"All requests", "load aborted", "slo", slo.limit, "yes", std::nullopt, false, {}});
      continue;
    }
    const Fact* fact = slo.evidence.empty() ? nullptr : facts.by_id(slo.evidence.front());
    d.matrix.push_back({slo.endpoint.empty() ? "All requests" : "Endpoint " + slo.endpoint,
                        slo.metric, "slo", (slo.at_least ? ">= " : "<= ") + slo.limit,
                        fact != nullptr ? value_text(fact->value, fact->unit) : "not evaluated",
                        std::nullopt, false, slo.evidence});
  }
}

// Only the bottleneck's own row says YES; rows of causes that follow from it do not.
void mark_bottleneck(Diagnosis& d) {
  for (MatrixRow& row : d.matrix)
    row.bottleneck = d.verdict.bottleneck && row.test == d.verdict.bottleneck->cause;
}

// What the rules say of one window, ranked and with what each finding is worth.
std::vector<Finding> ranked(std::vector<Finding> findings, const std::vector<Rule>& rules,
                            const Ledger& ledger, const Validity& validity, const FactSet& facts) {
  rank(findings, rules);
  const double less = doubt(ledger, validity);
  for (Finding& finding : findings) {
    finding.confidence = std::clamp(finding.confidence - less, 0.1, 1.0);
    add_what_if(finding, ledger, facts);
  }
  return findings;
}

StageDiagnosis judge_stage(const store::RunData& run, const StageSpan& stage,
                           const std::vector<Rule>& rules, const Validity& validity) {
  const facts::Window window{stage.start_ns, stage.end_ns};
  FactSet facts = facts::compute(run, window);
  Diagnosis d;
  d.validity = validity;
  d.ledger = build_ledger(run, window, facts);
  d.findings = ranked(apply_rules(rules, run, facts).findings, rules, d.ledger, validity, facts);
  StageDiagnosis out;
  out.stage = stage;
  out.verdict = verdict_of(d, facts);
  out.ledger = std::move(d.ledger);
  out.findings = std::move(d.findings);
  out.rate = facts.value_or("requests.rate", 0);
  out.error_rate = facts.value_or("requests.error_rate", 0);
  out.p95 = facts.value("latency.p95");
  return out;
}

void judge_stages(const store::RunData& run, const std::vector<Rule>& rules, Diagnosis& d) {
  const std::vector<StageSpan> stages = facts::judged_stages(run);
  if (stages.size() < 2) return;
  for (const StageSpan& stage : stages)
    d.stages.push_back(judge_stage(run, stage, rules, d.validity));
}

}  // namespace

Result<Diagnosis> diagnose(const store::RunData& run, FactSet& facts) {
  PLUMB_ASSIGN_OR_RETURN(const std::vector<Rule> rules, rules_of(run));
  Diagnosis d;
  d.validity = check_validity(run, facts);
  if (const auto window = facts::steady_window(run)) {
    d.ledger = build_ledger(run, *window, facts);
    add_slices(run, *window, d.ledger);
  }
  d.endpoints = endpoint_ledgers(facts);
  if (d.endpoints.size() < 2) d.endpoints.clear();
  d.slos = check_slos(run, facts);
  RuleOutcome outcome = apply_rules(rules, run, facts);
  d.matrix = std::move(outcome.matrix);
  d.notes = std::move(outcome.notes);
  if (d.validity.status == ValidityStatus::kValid) {
    d.findings = ranked(std::move(outcome.findings), rules, d.ledger, d.validity, facts);
    judge_stages(run, rules, d);
    d.capacity = model_capacity(run, facts);
  }
  d.verdict = verdict_of(d, facts);
  add_slo_rows(d, facts);
  mark_bottleneck(d);
  return d;
}

}  // namespace plumb::diagnose
