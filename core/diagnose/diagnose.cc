#include <algorithm>

#include "core/base/number_text.h"
#include "core/diagnose/baseline_rows.h"
#include "core/diagnose/changes.h"
#include "core/diagnose/diagnosis.h"
#include "core/diagnose/ledger.h"
#include "core/diagnose/ranking.h"
#include "core/diagnose/rule_eval.h"
#include "core/diagnose/slo.h"
#include "core/diagnose/surroundings.h"
#include "core/diagnose/validity.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

constexpr double kThreatShare = 0.5;  // of the response time
constexpr double kThreatFailed = 0.1;
constexpr double kThreatHeadroom = 0.9;
constexpr double kUnexplainedUnknown = 0.5;  // nothing may be concluded
constexpr double kQuickMs = 10;              // nobody waits for

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

bool is_mostly_unseen(const Ledger& ledger) {
  return ledger.unexplained_ms > kUnexplainedUnknown * ledger.total_ms;
}

// Where most of the time was not seen, none can be said to be no bottleneck.
std::string healthy_sentence(const Diagnosis& d, const FactSet& facts) {
  const Ledger& ledger = d.ledger;
  std::string sentence = !is_mostly_unseen(ledger) ? "No bottleneck"
                         : d.slos.empty()          ? "Quick enough to look no further"
                                                   : "Every objective is met";
  sentence += ": requests take " + milliseconds_text(ledger.total_ms) + " ms on average";
  const auto largest =
      std::max_element(ledger.lines.begin(), ledger.lines.end(),
                       [](const LedgerLine& a, const LedgerLine& b) { return a.ms < b.ms; });
  if (largest != ledger.lines.end() && largest->key != "unexplained" && largest->ms > 0)
    sentence += ", the largest part of it " + largest->layer + " " + largest->label + " (" +
                milliseconds_text(largest->ms) + " ms)";
  if (ledger.total_ms > 0 && ledger.unexplained_ms > kUnexplainedDoubt * ledger.total_ms)
    sentence += "; " + milliseconds_text(ledger.unexplained_ms) +
                " ms of it is spent on nothing that was watched";
  if (const auto busy = facts.value("host_cpu_busy_ratio.mean"))
    sentence += "; the processors are " + ratio_text(*busy) + " busy";
  return sentence + ".";
}

// What the check of that name says went on during the measurement; empty when nothing did.
std::string disturbance_of(const Validity& validity) {
  for (const ValidityCheck& check : validity.checks)
    if (check.name == kUndisturbed && !check.passed) return check.sentence;
  return {};
}

// Whether most of the time is unaccounted for, where that matters: where something promised is
// missed, or nothing was promised and answers are not quick.
bool is_in_the_dark(const Diagnosis& d, bool breached) {
  const bool matters = breached || (d.slos.empty() && d.ledger.total_ms > kQuickMs);
  return matters && is_mostly_unseen(d.ledger);
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
    const bool dear = top.cost_ms > 0 && top.cost_ms >= kThreatShare * d.ledger.total_ms;
    const bool failing =
        top.explains_errors && facts.value_or("requests.error_rate", 0) > kThreatFailed;
    const bool threat =
        breached != nullptr || dear || failing || top.headroom_lost.value_or(0) >= kThreatHeadroom;
    verdict.label = threat ? "Threat" : "Warning";
    return verdict;
  }
  if (is_in_the_dark(d, breached != nullptr)) {
    verdict.label = "Inconclusive";
    verdict.conclusion = (breached != nullptr ? breached->sentence + " " : std::string()) +
                         ratio_text(d.ledger.unexplained_ms / d.ledger.total_ms) +
                         " of the time is spent on nothing that was watched.";
    return verdict;
  }
  const std::string happened = disturbance_of(d.validity);
  if (const double failed = facts.value_or("requests.error_rate", 0); failed > kWarningFailed) {
    verdict.label = failed > kThreatFailed ? "Threat" : "Warning";
    verdict.conclusion = ratio_text(failed) + " of the requests failed, " +
                         (happened.empty() ? "and no layer explains it: see the errors."
                                           : "while this happened: " + happened);
    return verdict;
  }
  verdict.label = breached != nullptr ? "Warning" : "Stable";
  verdict.conclusion =
      breached != nullptr ? "An objective is missed, but no layer stands out: " + breached->sentence
                          : healthy_sentence(d, facts);
  return verdict;
}

// But for those that a rule's row shows already.
void add_slo_rows(Diagnosis& d, const FactSet& facts) {
  const auto is_shown = [&](const SloResult& slo) {
    return slo.endpoint.empty() &&
           std::any_of(d.matrix.begin(), d.matrix.end(),
                       [&](const auto& row) { return !row.fact.empty() && row.fact == slo.fact; });
  };
  for (const SloResult& slo : d.slos) {
    if (is_shown(slo)) continue;
    MatrixRow row;
    row.component = slo.endpoint.empty() ? "All requests" : "Endpoint " + slo.endpoint;
    row.metric = slo.metric == "abort" ? "load aborted" : slo.metric;
    row.test = "slo";
    row.evidence = slo.evidence;
    row.state = slo.met ? RowState::kOk : RowState::kExceeded;
    if (slo.metric == "abort") {
      row.expected = slo.limit;
      row.actual = "yes";
    } else {
      const Fact* fact = slo.evidence.empty() ? nullptr : facts.by_id(slo.evidence.front());
      row.expected = (slo.at_least ? ">= " : "<= ") + slo.limit;
      row.actual = fact != nullptr ? value_text(fact->value, fact->unit) : "unknown";
      if (fact == nullptr) row.state = RowState::kUnknown;
    }
    d.matrix.push_back(std::move(row));
  }
}

// Only the bottleneck's own row is it; rows of causes that follow from it do not.
void mark_bottleneck(Diagnosis& d) {
  if (!d.verdict.bottleneck) return;
  for (MatrixRow& row : d.matrix)
    if (row.test == d.verdict.bottleneck->cause && row.state != RowState::kUnknown)
      row.state = RowState::kBottleneck;
}

// A layer that several rules look at in the same way has one row: the one that costs most.
void drop_doubled_rows(std::vector<MatrixRow>& matrix) {
  std::vector<MatrixRow> out;
  for (MatrixRow& row : matrix) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const MatrixRow& other) {
      return other.test == row.test && other.component == row.component &&
             other.metric == row.metric;
    });
    if (same == out.end())
      out.push_back(std::move(row));
    else if (row.cost_ms.value_or(0) > same->cost_ms.value_or(0))
      *same = std::move(row);
  }
  matrix = std::move(out);
}

// 1 where the load has objectives and all of them are met, 0 where one is not; absent without any.
void add_slo_fact(const std::vector<SloResult>& slos, const facts::Window& window, FactSet& facts) {
  if (slos.empty()) return;
  const bool met = std::all_of(slos.begin(), slos.end(), [](const SloResult& s) { return s.met; });
  facts.add(window, "validity", "slo.met", met ? 1 : 0, "1");
}

// A check that makes the run invalid, unless a finding answers it: where most requests fail nothing
// can be said of latency, and what makes them fail is an answer all the same.
void judge_by_its_answer(const char* name, Validity& validity, std::vector<Finding>& findings,
                         bool (*answers)(const Finding&)) {
  const auto failed =
      std::find_if(validity.checks.begin(), validity.checks.end(), [&](const ValidityCheck& check) {
        return check.name == name && check.fatal && !check.passed;
      });
  if (failed == validity.checks.end()) return;
  std::erase_if(findings, [&](const Finding& f) { return !answers(f); });
  const bool other_reason =
      std::any_of(validity.checks.begin(), validity.checks.end(), [&](const ValidityCheck& check) {
        return check.fatal && !check.passed && check.name != name;
      });
  if (findings.empty() || other_reason) return;
  failed->fatal = false;
  validity.status = ValidityStatus::kValid;
}

bool answers_theft(const Finding& finding) { return finding.cause == "host-cpu-steal"; }

void judge_by_answers(Validity& validity, std::vector<Finding>& findings) {
  judge_by_its_answer(kSomeSucceeded, validity, findings,
                      [](const Finding& f) { return f.explains_errors; });
  judge_by_its_answer(kHostQuiet, validity, findings, answers_theft);
}

// The mean of a handful of requests is nobody's time.
bool has_enough(const Validity& validity) {
  return std::none_of(validity.checks.begin(), validity.checks.end(), [](const ValidityCheck& c) {
    return c.name == kEnoughRequests && !c.passed;
  });
}

StageDiagnosis judge_stage(const store::RunData& run, const StageSpan& stage,
                           const std::vector<Rule>& rules, const Validity& validity) {
  const facts::Window window{stage.start_ns, stage.end_ns};
  FactSet facts = facts::compute(run, window);
  Diagnosis d;
  d.validity = validity;
  d.ledger = build_ledger(run, window, facts);
  add_slo_fact(check_slos(run, facts), window, facts);
  d.findings =
      ranked(apply_rules(rules, run, facts).findings, {run, facts, rules}, d.ledger, validity);
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

std::string_view row_state_name(RowState state) {
  switch (state) {
    case RowState::kOk:
      return "ok";
    case RowState::kExceeded:
      return "exceeded";
    case RowState::kBottleneck:
      return "bottleneck";
    case RowState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Result<Diagnosis> diagnose(const store::RunData& run, FactSet& facts) {
  PLUMB_ASSIGN_OR_RETURN(const std::vector<Rule> rules, rules_of(run));
  Diagnosis d;
  d.validity = check_validity(run, facts);
  if (const auto window = facts::steady_window(run)) {
    d.ledger = build_ledger(run, *window, facts);
    if (has_enough(d.validity))
      add_slices(run, *window, d.ledger);
    else
      d.ledger = {};
  }
  d.endpoints = endpoint_ledgers(facts);
  if (d.endpoints.size() < 2) d.endpoints.clear();
  d.slos = check_slos(run, facts);
  if (const auto window = facts::steady_window(run)) add_slo_fact(d.slos, *window, facts);
  RuleOutcome outcome = apply_rules(rules, run, facts, d.slos);
  d.matrix = std::move(outcome.matrix);
  drop_doubled_rows(d.matrix);
  expect_baseline(run, d.matrix);
  d.notes = std::move(outcome.notes);
  judge_by_answers(d.validity, outcome.findings);
  if (d.validity.status == ValidityStatus::kValid) {
    d.findings = ranked(std::move(outcome.findings), {run, facts, rules}, d.ledger, d.validity);
    if (facts.value_or("validity.steal", 0) > kTooMuchStolen) {
      std::erase_if(d.findings, [](const Finding& f) { return !answers_theft(f); });
    } else {
      judge_stages(run, rules, d);
      d.changes = tell_changes(run, facts, d.ledger);
      d.capacity = model_capacity(run, facts);
    }
  }
  d.verdict = verdict_of(d, facts);
  add_slo_rows(d, facts);
  mark_bottleneck(d);
  return d;
}

}  // namespace plumb::diagnose
