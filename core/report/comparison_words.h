// What the console, the page and the comment say alike of a comparison.
#ifndef PLUMB_CORE_REPORT_COMPARISON_WORDS_H_
#define PLUMB_CORE_REPORT_COMPARISON_WORDS_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace plumb::report {

// One figure in words; each text is plain and on one line.
struct ChangeWords {
  std::string name;
  std::string base;
  std::string run;
  std::string change;    // "+19.9%", or in its unit where a ratio says nothing
  std::string interval;  // "+17.2 to +22.6%"
  std::string chance;    // "< 0.001"; empty where nothing was tested
  std::string verdict;   // "regressed", "same", "not enough data"
  std::string reason;
};
// `in_unit`: the change is told in the figure's unit, and not as a share of the base.
ChangeWords change_words(const nlohmann::json& change, bool in_unit);

// Whether the figure is an error rate, whose change is told in points.
bool is_share(const nlohmann::json& change);
bool is_verdict(const nlohmann::json& change, const char* verdict);
// same, improved, regressed, not enough data, left open.
std::string verdict_words(const nlohmann::json& change);

// "run 7f3a against 2 runs (baseline release): 81c2, 91aa"
std::string compared_runs_text(const nlohmann::json& comparison);
// "60 s in 12 blocks of 5 s; 43 figures, of the changes told at most 5% by chance"
std::string method_text(const nlohmann::json& comparison);
// The queries' rows whose verdict is not "same", or the first few where all are.
std::vector<const nlohmann::json*> telling_queries(const nlohmann::json& comparison, size_t most);
// The ledger's lines that changed by as much as a hundredth of the larger mean.
std::vector<const nlohmann::json*> telling_lines(const nlohmann::json& comparison);
// Sums of the ledger's lines, in seconds.
double ledger_sum(const nlohmann::json& comparison, const char* side);
// "plan.load.rate is 300/s and was 200/s"
std::string environment_text(const nlohmann::json& difference);
// The command for the differential flame graph; empty without stack profiles.
std::string flame_command(const nlohmann::json& comparison);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_COMPARISON_WORDS_H_
