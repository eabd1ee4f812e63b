#include "core/diagnose/slo.h"

#include "core/base/number_text.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;

struct Clause {
  std::string endpoint;
  std::string metric;
  double limit = 0;
  std::string written;
};

std::string fact_name(const std::string& metric) {
  if (metric == "error_rate") return "requests.error_rate";
  if (metric == "rate") return "requests.rate";
  return "latency." + metric;
}

SloResult judge(const Clause& clause, const facts::FactSet& facts) {
  SloResult out;
  out.endpoint = clause.endpoint;
  out.metric = clause.metric;
  out.limit = clause.written;
  const Labels labels = clause.endpoint.empty() ? Labels{} : Labels{{"endpoint", clause.endpoint}};
  const std::string where = clause.endpoint.empty() ? "all requests" : clause.endpoint;
  const Fact* fact = facts.find(fact_name(clause.metric), labels);
  if (fact == nullptr) {
    out.sentence = clause.metric + " of " + where +
                   " could not be evaluated (no such request finished), so it counts as breached.";
    return out;
  }
  const bool lower_bound = clause.metric == "rate";
  out.actual = fact->value;
  out.met = lower_bound ? fact->value >= clause.limit : fact->value <= clause.limit;
  out.evidence.push_back(fact->id);
  out.sentence = clause.metric + " of " + where + " is " + value_text(fact->value, fact->unit) +
                 "; " + (lower_bound ? "at least " : "at most ") + clause.written +
                 " was promised.";
  return out;
}

}  // namespace

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
    out.push_back(judge({item.value("endpoint", ""), item.value("metric", ""),
                         item["limit"].get<double>(), item.value("written", "")},
                        facts));
  }
  return out;
}

}  // namespace plumb::diagnose
