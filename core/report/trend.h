// The history of a plan's runs, as a document and as what people read.
#ifndef PLUMB_CORE_REPORT_TREND_H_
#define PLUMB_CORE_REPORT_TREND_H_

#include <nlohmann/json.hpp>
#include <string>

#include "core/compare/trend.h"
#include "core/report/report.h"

namespace plumb::report {

inline constexpr int kTrendVersion = 1;

// docs/compare.md describes it, docs/trend.schema.json is its schema.
nlohmann::json trend_json(const compare::Trend& trend);

// The newest run last; at most the last `most_runs` of them, 0: all.
std::string trend_to_console(const nlohmann::json& trend, const ConsoleOptions& options,
                             size_t most_runs = 30);
// One row for each run.
std::string trend_to_csv(const nlohmann::json& trend);
// A page of its own with charts.
std::string trend_to_html(const nlohmann::json& trend);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_TREND_H_
