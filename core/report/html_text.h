// Text, numbers and evidence as HTML. Every function escapes what it is given and returns HTML that
// is complete in itself.
#ifndef PLUMB_CORE_REPORT_HTML_TEXT_H_
#define PLUMB_CORE_REPORT_HTML_TEXT_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace plumb::report {

// For text and for attributes in double quotes.
std::string escape(std::string_view text);
// Escaped and cut to `characters` columns; the whole text is in report.json.
std::string shortened(std::string_view text, size_t characters = 300);
// As a `code` element.
std::string code(std::string_view text, size_t characters = 300);
// A number for people, or an en dash.
std::string milliseconds(const std::optional<double>& ms);
std::string plain_number(const std::optional<double>& value, std::string_view unit);
// A cell of a plugin's table: number, text or nothing. The unit "name" is of numbers that name
// something, such as processes.
std::string cell(const nlohmann::json& value, std::string_view unit);
// A coordinate in an SVG: two decimals at most.
std::string coordinate(double value);
// Inside <script type="application/json">, which ends at the first "</script".
std::string script_safe(const nlohmann::json& value);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_HTML_TEXT_H_
