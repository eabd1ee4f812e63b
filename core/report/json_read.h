// Reading report.json without trusting it: it may be of another version, from another machine, or
// written by hand. What is absent or of another type reads as empty; nothing here fails.
#ifndef PLUMB_CORE_REPORT_JSON_READ_H_
#define PLUMB_CORE_REPORT_JSON_READ_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace plumb::report {

// The member, or a null value. The reference lives as long as `object` does.
const nlohmann::json& member(const nlohmann::json& object, const char* key);
// The member when it is a list, otherwise an empty list.
const nlohmann::json& list(const nlohmann::json& object, const char* key);
// A string member on one line (see plain_text.h), or empty.
std::string text(const nlohmann::json& object, const char* key);
// The same with its line breaks.
std::string multiline(const nlohmann::json& object, const char* key);
// A finite number, or empty.
std::optional<double> number(const nlohmann::json& object, const char* key);
std::optional<double> number(const nlohmann::json& value);
bool flag(const nlohmann::json& object, const char* key);
// The strings in a list member, each on one line.
std::vector<std::string> texts(const nlohmann::json& object, const char* key);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_JSON_READ_H_
