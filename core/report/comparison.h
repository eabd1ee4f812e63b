// A run held against others, as a document and as what people read. As with reports, everything but
// the document is made from the document.
#ifndef PLUMB_CORE_REPORT_COMPARISON_H_
#define PLUMB_CORE_REPORT_COMPARISON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "core/compare/comparison.h"
#include "core/report/report.h"

namespace plumb::report {

inline constexpr int kComparisonVersion = 1;

// docs/compare.md describes it, docs/comparison.schema.json is its schema.
nlohmann::json comparison_json(const compare::Comparison& comparison);

std::string comparison_to_console(const nlohmann::json& comparison, const ConsoleOptions& options);
// For a comment on a change: the conclusion, and the rest folded away.
std::string comparison_to_markdown(const nlohmann::json& comparison);
// One self-contained page, as a report's.
std::string comparison_to_html(const nlohmann::json& comparison);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_COMPARISON_H_
