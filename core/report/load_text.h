// What every report says of a run in words: its load and its window.
#ifndef PLUMB_CORE_REPORT_LOAD_TEXT_H_
#define PLUMB_CORE_REPORT_LOAD_TEXT_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::report {

// "closed, 16 users", "open, 200/s"; empty when plumb made no load.
std::string load_text(const nlohmann::json& report);
// "steady 30 s", or "no steady stage".
std::string window_text(const nlohmann::json& report);
// 12 ms; whole milliseconds where the tenth does not matter.
std::string short_seconds(double seconds);
// How the service came through each spike: "spike: p95 80 ms, before it 3.1 ms; recovered after
// 2.0 s".
std::vector<std::string> spike_sentences(const nlohmann::json& report);
// The value of the fact of that name that has no labels.
std::optional<double> fact_value(const nlohmann::json& report, std::string_view name);
// Whether enough was measured to tell where a request's time goes. What was added up of a handful
// of requests is in report.json.
bool is_judged(const nlohmann::json& report);
// generator_limited -> "generator limited"
std::string spaced(std::string name);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_LOAD_TEXT_H_
