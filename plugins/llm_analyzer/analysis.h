// What the analyzer is given: the verdict, the findings and the facts of a run, as read from JSON.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_ANALYSIS_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_ANALYSIS_H_

#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plumb::llm_analyzer {

struct Fact {
  std::string id;
  std::string name;
  std::optional<double> value;
  std::string unit;
  std::vector<std::pair<std::string, std::string>> labels;
};

struct Finding {
  std::string id;  // the cause
  std::string layer;
  std::optional<double> cost_ms;
  std::string says;
  std::vector<std::string> evidence;
  std::vector<std::string> advice;
};

struct LedgerLine {
  std::string name;
  std::optional<double> ms;
};

struct Analysis {
  std::string label;  // Stable, Warning, Threat, Inconclusive
  std::string conclusion;
  std::string bottleneck;  // a cause, or empty
  std::vector<Finding> findings;
  std::vector<Fact> facts;
  std::vector<LedgerLine> ledger;

  const Fact* fact(std::string_view id) const;
};

// INVALID_ARGUMENT when it is no JSON object. Fields that are missing or of another type are taken
// as empty; facts without an id are left out.
Result<Analysis> parse_analysis(std::string_view json);

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_ANALYSIS_H_
