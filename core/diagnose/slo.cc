#include "core/diagnose/slo.h"

#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/facts/derived.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;

// What the run file keeps of an SLO. `unit` is empty unless the metric is a fact's name.
struct Clause {
  std::string endpoint;
  std::string metric;
  double limit = 0;
  std::string written;
  bool at_least = false;
  std::string unit = {};
  Labels labels = {};
};

Clause clause_of(const nlohmann::json& item) {
  Clause out{item.value("endpoint", ""), item.value("metric", ""), item["limit"].get<double>(),
             item.value("written", "")};
  // Run files of before facts could be limited have no `at_least`.
  out.at_least = item.value("at_least", out.metric == "rate");
  out.unit = item.value("unit", "");
  if (const auto labels = item.find("labels"); labels != item.end() && labels->is_object())
    for (const auto& [name, value] : labels->items())
      if (value.is_string()) out.labels.emplace_back(name, value.get<std::string>());
  return out;
}

std::string fact_name(const Clause& clause) {
  if (!clause.unit.empty()) return clause.metric;
  if (clause.metric == "error_rate" || clause.metric == "rate") return "requests." + clause.metric;
  return "latency." + clause.metric;
}

// A bare number is in the fact's own unit.
bool fits(const std::string& limit_unit, const std::string& fact_unit) {
  if (limit_unit.empty() || limit_unit == "1" || limit_unit == fact_unit) return true;
  if (limit_unit == "/s") return fact_unit.ends_with("/s");
  return limit_unit == "ratio" && fact_unit == "1";
}

std::string why_absent(const Clause& clause) {
  return clause.unit.empty() ? "no such request finished" : "the run has no such fact";
}

SloResult judge(const Clause& clause, const facts::FactSet& facts) {
  SloResult out;
  out.endpoint = clause.endpoint;
  out.metric = clause.metric;
  out.fact = fact_name(clause);
  out.limit = clause.written;
  out.at_least = clause.at_least;
  Labels labels = clause.labels;
  if (!clause.endpoint.empty()) {
    labels.emplace_back("endpoint", clause.endpoint);
    std::sort(labels.begin(), labels.end());
  }
  const std::string what =
      clause.unit.empty()
          ? clause.metric + " of " + (clause.endpoint.empty() ? "all requests" : clause.endpoint)
          : clause.metric;
  const Fact* fact = facts.find(fact_name(clause), labels);
  if (fact == nullptr || !fits(clause.unit, fact->unit)) {
    out.sentence = what + " could not be evaluated (" +
                   (fact == nullptr ? why_absent(clause)
                                    : "it is in " + fact->unit + ", and " + clause.written +
                                          " is in " + clause.unit) +
                   "), so it counts as breached.";
    return out;
  }
  out.actual = fact->value;
  out.met = clause.at_least ? fact->value >= clause.limit : fact->value <= clause.limit;
  if (clause.limit != 0)
    out.margin = (clause.at_least ? fact->value - clause.limit : clause.limit - fact->value) /
                 std::fabs(clause.limit);
  out.evidence.push_back(fact->id);
  out.sentence = what + " is " + value_text(fact->value, fact->unit) + "; " +
                 (clause.at_least ? "at least " : "at most ") + clause.written + " was promised";
  if (out.margin)
    out.sentence += out.met ? " (" + ratio_text(*out.margin) + " to spare)"
                            : " (missed by " + ratio_text(-*out.margin) + ")";
  out.sentence += ".";
  return out;
}

}  // namespace

std::string objective_problem(const std::string& fact, const std::string& limit_unit,
                              const std::string& written, const FactCatalog& catalog) {
  if (catalog.is_open(fact)) return {};
  const KnownFact* known = catalog.find(fact);
  if (known == nullptr) {
    const std::string near = catalog.nearest_to(fact);
    return "an SLO limits the fact '" + fact + "', which no run has." +
           (near.empty() ? "" : " Did you mean '" + near + "'?");
  }
  if (known->unit == facts::kOwnUnit || fits(limit_unit, known->unit)) return {};
  return "an SLO limits the fact '" + fact + "', which is in " + known->unit + ", by " + written +
         ", which is in " + limit_unit + ".";
}

std::vector<SloResult> check_slos(const store::RunData& run, const facts::FactSet& facts) {
  std::vector<SloResult> out;
  for (const Event& event : run.events)
    if (event.kind == "load-aborted") {
      SloResult aborted;
      aborted.metric = "abort";
      aborted.limit = "never";
      aborted.sentence = event.message;
      out.push_back(std::move(aborted));
    }
  if (!run.header.plan.is_object()) return out;
  const auto slos = run.header.plan.find("slos");
  if (slos == run.header.plan.end() || !slos->is_array()) return out;
  for (const auto& item : *slos) {
    if (!item.is_object() || !item.contains("metric") || !item["limit"].is_number()) continue;
    out.push_back(judge(clause_of(item), facts));
  }
  return out;
}

}  // namespace plumb::diagnose
