// The words of a comparison: its risk label and its conclusion.
#ifndef PLUMB_CORE_COMPARE_COMPARISON_TEXT_H_
#define PLUMB_CORE_COMPARE_COMPARISON_TEXT_H_

#include <string>
#include <vector>

#include "core/compare/comparison.h"

namespace plumb::compare {

// Threat: the client sees a regression by a fifth or more, one percent of requests more that fail,
// or an objective that is missed now and was met. Warning: a lesser regression, or a layer that
// takes more of each request although the client does not see it yet. Inconclusive: nothing could
// be compared. Stable: none of these.
std::string risk_label(const Comparison& comparison,
                       const std::vector<std::string>& newly_breached);

// "p95 of all requests rose from 62.0 ms to 80.1 ms (+29%), ... The mean rose by 16.2 ms, of which
// +15.1 ms is database: WAL write and sync at commit. Query 7c1f...: 51 calls per request instead
// of 1."
std::string conclusion_of(const Comparison& comparison,
                          const std::vector<std::string>& newly_breached);

// A figure in its unit, for people; "–" for none.
std::string figure_text(const std::optional<double>& value, const std::string& unit);
// The same with its sign: "+15.1 ms", "+0.29 pp".
std::string signed_text(const std::optional<double>& value, const std::string& unit);
// "+29%".
std::string signed_share(double share);

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_COMPARISON_TEXT_H_
