#include "core/report/json_read.h"

#include <cmath>

#include "core/report/plain_text.h"

namespace plumb::report {

using nlohmann::json;

const json& member(const json& object, const char* key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

const json& list(const json& object, const char* key) {
  static const json kEmpty = json::array();
  const json& value = member(object, key);
  return value.is_array() ? value : kEmpty;
}

std::string text(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? one_line(value.get_ref<const std::string&>()) : std::string();
}

std::string multiline(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? many_lines(value.get_ref<const std::string&>()) : std::string();
}

std::optional<double> number(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const auto number = value.get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<double> number(const json& object, const char* key) {
  return number(member(object, key));
}

bool flag(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> texts(const json& object, const char* key) {
  std::vector<std::string> out;
  for (const json& item : list(object, key))
    if (item.is_string()) out.push_back(one_line(item.get_ref<const std::string&>()));
  return out;
}

}  // namespace plumb::report
