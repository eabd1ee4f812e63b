#include "core/compare/comparison.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/compare/comparison_text.h"
#include "core/compare/machine.h"

namespace plumb::compare {
namespace {

constexpr double kLeastLedgerShare = 0.02;  // of the base's mean latency
constexpr double kLeastCalls = 0.05;        // of a query, per request
constexpr size_t kMostQueries = 40;
constexpr double kExplains = 0.5;  // of the difference of the mean

// One figure before its verdict: it waits for all others' p.
struct Tested {
  Change change;
  double counted = 0;  // of the difference, in the unit: what the machine does not explain
};

ComparedRun compared(const RunMeasures& run) {
  return {run.id,       run.name,     run.started_unix_ms,
          run.requests, run.window_s, run.block_s,
          run.blocks,   run.verdict,  run.causes.empty() ? "" : run.causes.front().cause};
}

// A line or a query that a run does not have took no time in it.
Estimate nothing_of(const Measure& like) { return {0, 0, std::max(like.estimate.freedom, 1.0)}; }

class Comparing {
 public:
  Comparing(const std::vector<RunMeasures>& base, const RunMeasures& run,
            const CompareOptions& options)
      : base_(base), run_(run), options_(options), machine_(base, run) {}

  Result<Comparison> compare() {
    out_.options = options_;
    out_.run = compared(run_);
    for (const RunMeasures& base : base_) out_.base.push_back(compared(base));
    PLUMB_RETURN_IF_ERROR(surroundings());
    out_.has_stacks = run_.has_stacks && base_.front().has_stacks;
    for (const RunMeasures& base : base_)
      if (out_.insufficient.empty()) out_.insufficient = base.insufficient;
    if (!run_.insufficient.empty()) out_.insufficient = run_.insufficient;
    if (out_.insufficient.empty()) {
      collect();
      decide();
      sort_ledger();
      sort_queries();
      find_responsible();
      find_explanation();
    }
    conclude();
    return std::move(out_);
  }

 private:
  Status surroundings() {
    std::set<std::string> seen;
    for (const RunMeasures& base : base_)
      for (EnvironmentDifference& difference :
           environment_differences({base.plan, base.environment}, {run_.plan, run_.environment})) {
        if (difference.weight == Weight::kRefused && !options_.force)
          return Status::invalid_argument(
              "run " + run_.id + " and run " + base.id + " measured different things: " +
              difference.key + " is " + (difference.base.empty() ? "not set" : difference.base) +
              " in " + base.id + " and " + (difference.run.empty() ? "not set" : difference.run) +
              " in " + run_.id + "; --force compares them all the same");
        if (seen.insert(difference.key + "\n" + difference.base).second)
          out_.environment.push_back(std::move(difference));
      }
    const auto machine = machine_.told();
    out_.environment.insert(out_.environment.begin(), machine.begin(), machine.end());
    std::stable_sort(out_.environment.begin(), out_.environment.end(),
                     [](const auto& a, const auto& b) { return a.weight > b.weight; });
    return Status::ok();
  }

  void collect() {
    std::set<const Measure*> taken;
    for (const Measure& measure : run_.measures) add(measure, taken);
    // What only the base has is gone, or less than what is listed.
    for (const RunMeasures& base : base_)
      for (const Measure& measure : base.measures)
        if (taken.count(&measure) == 0) add_gone(measure, taken);
    for (const RunMeasures& base : base_) base_total_s_ += base.ledger_total_ms / 1e3;
    base_total_s_ /= static_cast<double>(base_.size());
    out_.mean_difference_ms = run_.ledger_total_ms - base_total_s_ * 1e3;
  }

  static Change change_of(const Measure& measure) {
    Change change;
    change.kind = measure.kind;
    change.metric = measure.metric;
    change.subject = measure.subject;
    change.label = measure.label;
    change.layer = measure.layer;
    change.unit = measure.unit;
    change.higher_is_better = measure.higher_is_better;
    return change;
  }

  // The same figure of a base run; a query also by its text, since a database that was made anew
  // gives other ids.
  const Measure* match(const RunMeasures& base, const Measure& measure) const {
    if (const Measure* same = base.find(measure.kind, measure.metric, measure.subject)) return same;
    if (measure.kind == Kind::kLedger) return same_peer(base, measure);
    if (measure.kind != Kind::kQuery || measure.label.empty()) return nullptr;
    for (const Measure& other : base.measures)
      if (other.kind == Kind::kQuery && other.metric == measure.metric &&
          other.label == measure.label)
        return &other;
    return nullptr;
  }

  // The one peer of a run that the other does not have, if it is on the same host: a service that
  // is started anew may listen elsewhere.
  static const Measure* only_peer_of(const RunMeasures& run, const RunMeasures& other,
                                     std::string_view host) {
    const Measure* found = nullptr;
    for (const Measure& line : run.measures) {
      if (line.kind != Kind::kLedger || host_of_peer(line) != host ||
          other.find(line.kind, line.metric, line.subject) != nullptr)
        continue;
      if (found != nullptr) return nullptr;
      found = &line;
    }
    return found;
  }

  static std::string_view host_of_peer(const Measure& line) {
    const std::string_view key = line.subject;
    return key.starts_with("downstream.") ? key.substr(0, key.rfind(':')) : std::string_view();
  }

  const Measure* same_peer(const RunMeasures& base, const Measure& measure) const {
    const std::string_view host = host_of_peer(measure);
    if (host.empty() || only_peer_of(run_, base, host) != &measure) return nullptr;
    return only_peer_of(base, run_, host);
  }

  // What a slower or faster machine makes of the figure, on its scale.
  double by_machine(const Measure& measure, double base) const {
    if (measure.kind == Kind::kLedger) return base * std::expm1(machine_.pace());
    if (measure.unit == "seconds") return machine_.pace();
    return measure.unit == "requests/s" ? -machine_.pace() : 0;
  }

  void add(const Measure& measure, std::set<const Measure*>& taken) {
    Tested tested{change_of(measure)};
    Change& change = tested.change;
    std::vector<const Measure*> found;
    for (const RunMeasures& base : base_)
      if (const Measure* same = match(base, measure)) {
        found.push_back(same);
        taken.insert(same);
      }
    change.run = measure.value;
    change.reason = measure.insufficient;
    for (const Measure* base : found)
      if (change.reason.empty()) change.reason = base->insufficient;
    if (measure.kind == Kind::kLedger) {
      add_line(std::move(tested), measure, found);
    } else if (found.size() == base_.size()) {
      add_both(std::move(tested), measure, found);
    } else {
      if (change.reason.empty())
        change.reason = measure.kind == Kind::kQuery
                            ? "not among the statements listed for the base"
                            : "no such endpoint in the base";
      tests_.push_back(std::move(tested));
    }
  }

  void add_both(Tested tested, const Measure& measure, const std::vector<const Measure*>& found) {
    double base = 0;
    double floor = measure.floor;
    std::vector<Estimate> estimates;
    for (const Measure* one : found) {
      base += (measure.by_ratio ? std::log(std::max(one->value, 1e-300)) : one->value) /
              static_cast<double>(found.size());
      floor = std::max(floor, one->floor);
      estimates.push_back(one->estimate);
    }
    // The mean of one logarithm would not give the very same number back.
    tested.change.base = found.size() == 1  ? found.front()->value
                         : measure.by_ratio ? std::exp(base)
                                            : base;
    if (tested.change.reason.empty()) test(tested, measure, estimates, floor);
    tests_.push_back(std::move(tested));
  }

  // A line that a ledger does not have is zero in it.
  void add_line(Tested tested, const Measure& measure, const std::vector<const Measure*>& found) {
    double base = 0;
    double floor = measure.floor;
    std::vector<Estimate> estimates;
    for (const Measure* one : found) {
      base += one->value / static_cast<double>(base_.size());
      floor = std::max(floor, one->floor);
      estimates.push_back(one->estimate);
    }
    while (estimates.size() < base_.size()) estimates.push_back(nothing_of(measure));
    tested.change.base = base;
    test(tested, measure, estimates, floor);
    tests_.push_back(std::move(tested));
  }

  void add_gone(const Measure& measure, std::set<const Measure*>& taken) {
    Tested tested{change_of(measure)};
    if (measure.kind == Kind::kLedger) {
      std::vector<const Measure*> found;
      for (const RunMeasures& base : base_)
        if (const Measure* same = match(base, measure)) {
          found.push_back(same);
          taken.insert(same);
        }
      Measure none = measure;
      none.value = 0;
      none.estimate = nothing_of(measure);
      tested.change.run = 0;
      add_line(std::move(tested), none, found);
      return;
    }
    for (const RunMeasures& base : base_)
      if (const Measure* same = match(base, measure)) taken.insert(same);
    tested.change.base = measure.value;
    tested.change.reason = measure.kind == Kind::kQuery
                               ? "not among the statements listed for the run"
                               : "no such endpoint in the run";
    tests_.push_back(std::move(tested));
  }

  // Turns a difference of logarithms back into the figure's own unit.
  void test(Tested& tested, const Measure& measure, const std::vector<Estimate>& estimates,
            double floor) const {
    Change& change = tested.change;
    const double base = change.base.value_or(0);
    const double machine = by_machine(measure, base);
    const Contrast contrast = compare::contrast(estimates, measure.estimate, floor, machine);
    const auto in_unit = [&](double difference) {
      return measure.by_ratio ? base * std::expm1(difference) : difference;
    };
    change.difference = *change.run - base;
    change.low = in_unit(contrast.low);
    change.high = in_unit(contrast.high);
    change.p = contrast.p;
    tested.counted = std::fabs(beyond(*change.difference, in_unit(machine)));
  }

  void decide() {
    std::vector<double> p_values;
    for (const Tested& tested : tests_)
      if (tested.change.p) p_values.push_back(*tested.change.p);
    out_.tested = p_values.size();
    const std::vector<double> q_values = adjusted(p_values);
    size_t next = 0;
    for (Tested& tested : tests_) {
      Change& change = tested.change;
      if (change.p) {
        change.q = q_values[next++];
        change.verdict = verdict_of(tested);
      }
    }
    for (Tested& tested : tests_) leave_open(tested.change);
    for (Tested& tested : tests_) list_for(tested.change.kind).push_back(std::move(tested.change));
    if (out_.regressed()) out_.undecided.clear();
  }

  // What may be the hypervisor's is no change of the service.
  void leave_open(Change& change) {
    if (!change.changed()) return;
    const bool rose = *change.difference > 0;
    if (is_not_the_services(change)) {
      change.verdict = ChangeVerdict::kInsufficientData;
      change.reason = "it is the machine's or the load generator's, and not the service's";
      return;
    }
    if (change.kind != Kind::kClient ||
        !machine_.theft_may_explain(change.metric, rose, median_moved(change)))
      return;
    if (change.verdict == ChangeVerdict::kRegressed && out_.undecided.empty())
      out_.undecided = change_name(change) + " rose, and " + machine_.theft_text();
    change.verdict = ChangeVerdict::kInsufficientData;
    change.reason = machine_.theft_text();
  }

  static bool is_not_the_services(const Change& line) {
    return line.kind == Kind::kLedger &&
           (line.subject.ends_with(".stolen") || line.subject == "client.lag");
  }

  // With the change, of the same requests.
  bool median_moved(const Change& change) const {
    return std::any_of(tests_.begin(), tests_.end(), [&](const Tested& other) {
      return other.change.kind == Kind::kClient && other.change.metric == "p50" &&
             other.change.subject == change.subject && other.change.changed() &&
             (*other.change.difference > 0) == (*change.difference > 0);
    });
  }

  ChangeVerdict verdict_of(const Tested& tested) const {
    const Change& change = tested.change;
    if (*change.q > options_.false_share || !is_large(change, tested.counted))
      return ChangeVerdict::kSame;
    return (*change.difference > 0) == change.higher_is_better ? ChangeVerdict::kImproved
                                                               : ChangeVerdict::kRegressed;
  }

  bool is_large(const Change& change, double size) const {
    if (change.metric == "error_rate") return size >= options_.least_error_rate;
    if (change.kind == Kind::kLedger)
      return size >= options_.least_seconds && size >= kLeastLedgerShare * base_total_s_;
    if (size < options_.least_relative * std::fabs(*change.base)) return false;
    if (change.metric == "calls_per_request") return size >= kLeastCalls;
    return change.unit != "seconds" || size >= options_.least_seconds;
  }

  std::vector<Change>& list_for(Kind kind) {
    if (kind == Kind::kLedger) return out_.ledger;
    return kind == Kind::kQuery ? out_.queries : out_.client;
  }

  void sort_ledger() {
    std::stable_sort(out_.ledger.begin(), out_.ledger.end(), [](const Change& a, const Change& b) {
      return std::fabs(*a.difference) > std::fabs(*b.difference);
    });
  }

  // By what a query costs more or less of each request: calls times the time of one.
  double cost_of_change(const std::string& id) const {
    const auto cost = [&](const RunMeasures& run) {
      const Measure* calls = run.find(Kind::kQuery, "calls_per_request", id);
      const Measure* each = run.find(Kind::kQuery, "time_per_call", id);
      return calls != nullptr && each != nullptr ? calls->value * each->value : 0;
    };
    double base = 0;
    for (const RunMeasures& one : base_) base += cost(one) / static_cast<double>(base_.size());
    return cost(run_) - base;
  }

  void sort_queries() {
    std::stable_sort(
        out_.queries.begin(), out_.queries.end(), [&](const Change& a, const Change& b) {
          if (a.changed() != b.changed()) return a.changed();
          return std::fabs(cost_of_change(a.subject)) > std::fabs(cost_of_change(b.subject));
        });
    if (out_.queries.size() > kMostQueries) {
      out_.notes.push_back(std::to_string(out_.queries.size() - kMostQueries) +
                           " more figures of queries, whose time changed less, are left out");
      out_.queries.resize(kMostQueries);
    }
  }

  // The line that changed most, of those that changed the way the mean did; it may be one that says
  // that it was not the service.
  void find_responsible() {
    const bool slower = out_.mean_difference_ms > 0;
    if (std::fabs(out_.mean_difference_ms) < options_.least_seconds * 1e3) return;
    for (const Change& line : out_.ledger) {
      const bool changed =
          line.changed() || (is_not_the_services(line) && *line.q <= options_.false_share);
      if (!changed || (*line.difference > 0) != slower) continue;
      out_.responsible = Responsible{line.subject, line.layer, line.label, *line.difference * 1e3,
                                     *line.difference * 1e3 / out_.mean_difference_ms};
      return;
    }
  }

  static double cost_of(const RunMeasures& run, const std::string& cause) {
    double cost = 0;
    for (const FoundCause& found : run.causes)
      if (found.cause == cause) cost = std::max(cost, found.cost_ms);
    return cost;
  }

  double cost_in_base(const std::string& cause) const {
    double cost = 0;
    for (const RunMeasures& base : base_)
      cost += cost_of(base, cause) / static_cast<double>(base_.size());
    return cost;
  }

  // A line says where the time went, a cause what sent it there: round trips by the thousand are
  // waits for a processor in every ledger.
  void find_explanation() {
    const auto moved = [](const Change& change) {
      return change.metric == "mean" && change.subject.empty() && change.changed();
    };
    if (!out_.responsible && std::none_of(out_.client.begin(), out_.client.end(), moved)) return;
    if (out_.mean_difference_ms > 0) {
      explain_by(run_.causes);
    } else {
      for (const RunMeasures& base : base_) explain_by(base.causes);
    }
  }

  // Findings stand in their order of rank: the first that explains enough is not the consequence of
  // another.
  void explain_by(const std::vector<FoundCause>& causes) {
    for (const FoundCause& found : causes) {
      const double base = cost_in_base(found.cause);
      const double run = cost_of(run_, found.cause);
      if (out_.explanation || (run - base) / out_.mean_difference_ms < kExplains) continue;
      out_.explanation = Explanation{found.cause, found.layer, found.says, base, run};
    }
  }

  void conclude() {
    const std::set<std::string> breached(run_.breached.begin(), run_.breached.end());
    std::vector<std::string> newly_breached;
    for (const std::string& objective : base_.front().met)
      if (breached.count(objective) != 0) newly_breached.push_back(objective);
    out_.label = risk_label(out_, newly_breached);
    out_.conclusion = conclusion_of(out_, newly_breached);
  }

  const std::vector<RunMeasures>& base_;
  const RunMeasures& run_;
  const CompareOptions& options_;
  const MachineDifference machine_;
  std::vector<Tested> tests_;
  double base_total_s_ = 0;
  Comparison out_;
};

}  // namespace

std::string_view verdict_name(ChangeVerdict verdict) {
  switch (verdict) {
    case ChangeVerdict::kSame:
      return "same";
    case ChangeVerdict::kImproved:
      return "improved";
    case ChangeVerdict::kRegressed:
      return "regressed";
    case ChangeVerdict::kInsufficientData:
      return "insufficient_data";
  }
  return "same";
}

std::optional<double> Change::relative(const std::optional<double>& by) const {
  if (!by || !base || !(std::fabs(*base) > 0)) return std::nullopt;
  return *by / std::fabs(*base);
}

bool Comparison::regressed() const {
  return std::any_of(client.begin(), client.end(), [](const Change& change) {
    return change.verdict == ChangeVerdict::kRegressed;
  });
}

Result<Comparison> compare(const std::vector<RunMeasures>& base, const RunMeasures& run,
                           const CompareOptions& options) {
  return Comparing(base, run, options).compare();
}

}  // namespace plumb::compare
