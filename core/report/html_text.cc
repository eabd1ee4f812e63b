#include "core/report/html_text.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "core/base/json_text.h"
#include "core/base/number_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"

namespace plumb::report {

using nlohmann::json;

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string shortened(std::string_view text, size_t characters) {
  return escape(cut(text, characters));
}

std::string code(std::string_view text, size_t characters) {
  return "<code>" + shortened(text, characters) + "</code>";
}

std::string milliseconds(const std::optional<double>& ms) {
  return ms ? milliseconds_text(*ms) : "–";
}

std::string plain_number(const std::optional<double>& value, std::string_view unit) {
  return value ? escape(value_text(*value, one_line(unit))) : "–";
}

std::string cell(const json& value, std::string_view unit) {
  if (value.is_number_integer() && unit == "name") return escape(value.dump());
  if (const auto figure = number(value)) return plain_number(figure, unit == "name" ? "" : unit);
  if (value.is_string()) return shortened(one_line(value.get_ref<const std::string&>()), 240);
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return "–";
}

std::string coordinate(double value) {
  std::array<char, 48> buffer{};
  if (!std::isfinite(value) || std::fabs(value) > 1e7) value = 0;
  std::snprintf(buffer.data(), buffer.size(), "%.1f", value);
  std::string out = buffer.data();
  if (out.size() > 2 && out.substr(out.size() - 2) == ".0") out.resize(out.size() - 2);
  return out == "-0" ? "0" : out;
}

std::string script_safe(const json& value) {
  const std::string text = json_text(value);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<')
      out += "\\u003c";
    else if (c == '>')
      out += "\\u003e";
    else if (c == '&')
      out += "\\u0026";
    else
      out += c;
  }
  return out;
}

}  // namespace plumb::report
