// What the console and the page say alike of a history of runs.
#ifndef PLUMB_CORE_REPORT_TREND_WORDS_H_
#define PLUMB_CORE_REPORT_TREND_WORDS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plumb::report {

// 2026-11-20 10:45, in UTC; "–" for none.
std::string minute_text(const nlohmann::json& run);
// "p95 rose by 31%: 49.8 ms before, 65.2 ms after"
std::string trend_change_text(const nlohmann::json& change);
// The changes that the run at `index` brought.
std::vector<const nlohmann::json*> changes_at(const nlohmann::json& trend, size_t index);
// A run's figure in words: p50_s, rate, error_rate, ...
std::string run_figure(const nlohmann::json& run, const char* key);
// Its verdict, or that it is not valid.
std::string run_verdict(const nlohmann::json& run);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_TREND_WORDS_H_
