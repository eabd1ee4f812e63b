#include "plugins/http_load/schema_instance.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "plugins/http_load/pattern_instance.h"
#include "plugins/http_load/random.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr int kDeepest = 12;
constexpr size_t kMostItems = 16;
constexpr size_t kMostProperties = 100;
constexpr size_t kLongestText = 4'096;
// Of all values together: nested arrays multiply.
constexpr int kMostValues = 1'000;

const json* keyword(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

std::optional<double> numeric_keyword(const json& schema, const char* key) {
  const json* at = keyword(schema, key);
  return at != nullptr && at->is_number() ? std::optional(at->get<double>()) : std::nullopt;
}

size_t count_keyword(const json& schema, const char* key, size_t fallback, size_t most) {
  const auto value = numeric_keyword(schema, key);
  if (!value || *value < 0) return fallback;
  return *value > static_cast<double>(most) ? most : static_cast<size_t>(*value);
}

std::string type_of(const json& schema) {
  const json* type = keyword(schema, "type");
  if (type != nullptr && type->is_string()) return *type;
  if (type != nullptr && type->is_array())
    for (const json& one : *type)
      if (one.is_string() && one != "null") return one;
  if (type != nullptr && type->is_array() && !type->empty()) return "null";
  if (keyword(schema, "properties") != nullptr || keyword(schema, "required") != nullptr)
    return "object";
  if (keyword(schema, "items") != nullptr || keyword(schema, "prefixItems") != nullptr)
    return "array";
  for (const char* key : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
    if (keyword(schema, key) != nullptr) return "number";
  return "string";
}

class InstanceMaker {
 public:
  InstanceMaker(const json& root, uint64_t draw) : root_(root), random_(draw) {}

  json make(const json& schema, int depth) {
    if (depth > kDeepest || ++values_ > kMostValues || !schema.is_object()) return nullptr;
    if (const json* value = keyword(schema, "const")) return *value;
    if (const json* value = keyword(schema, "default")) return *value;
    if (const json* list = keyword(schema, "enum"); list != nullptr && list->is_array())
      if (!list->empty()) return (*list)[random_.next() % list->size()];
    if (const json* target = referred(schema)) return make(*target, depth + 1);
    for (const char* key : {"anyOf", "oneOf"})
      if (const json* list = keyword(schema, key); list != nullptr && list->is_array())
        if (const json* first = first_of(*list))
          return make(with_parent(schema, *first), depth + 1);
    if (const json* list = keyword(schema, "allOf"); list != nullptr && list->is_array())
      return make(merged(schema, *list), depth + 1);
    return of_type(type_of(schema), schema, depth);
  }

 private:
  // What a local $ref names. Others are never fetched.
  const json* referred(const json& schema) const {
    const json* ref = keyword(schema, "$ref");
    if (ref == nullptr || !ref->is_string()) return nullptr;
    const std::string& text = ref->get_ref<const std::string&>();
    if (!text.starts_with('#')) return nullptr;
    const json* at = &root_;
    std::string_view rest = std::string_view(text).substr(1);
    while (rest.starts_with('/')) {
      rest.remove_prefix(1);
      std::string word(rest.substr(0, rest.find('/')));
      rest.remove_prefix(word.size());
      for (size_t i; (i = word.find("~1")) != std::string::npos;) word.replace(i, 2, "/");
      for (size_t i = 0; (i = word.find("~0", i)) != std::string::npos; ++i)
        word.replace(i, 2, "~");
      at = keyword(*at, word.c_str());
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  // The first that is not null alone.
  static const json* first_of(const json& list) {
    for (const json& one : list)
      if (one.is_object() && type_of(one) != "null") return &one;
    return list.empty() || !list[0].is_object() ? nullptr : &list[0];
  }

  // What stands beside anyOf or oneOf holds as well.
  static json with_parent(const json& parent, const json& chosen) {
    json out = parent;
    out.erase("anyOf");
    out.erase("oneOf");
    return merged_two(std::move(out), chosen);
  }

  json merged(const json& schema, const json& parts) const {
    json out = schema;
    out.erase("allOf");
    for (const json& part : parts) {
      const json* one = referred(part);
      out = merged_two(std::move(out), one != nullptr ? *one : part);
    }
    return out;
  }

  static json merged_two(json into, const json& part) {
    if (!part.is_object()) return into;
    for (const auto& [key, value] : part.items()) {
      json& place = into[key];
      if (key == "properties" && place.is_object() && value.is_object()) {
        place.update(value);
      } else if (key == "required" && place.is_array() && value.is_array()) {
        place.insert(place.end(), value.begin(), value.end());
      } else {
        place = value;
      }
    }
    return into;
  }

  json of_type(const std::string& type, const json& schema, int depth) {
    if (type == "object") return object(schema, depth);
    if (type == "array") return array(schema, depth);
    if (type == "integer" || type == "number") return number(schema, type == "integer");
    if (type == "boolean") return random_.next() % 2 == 0;
    if (type == "null") return nullptr;
    return text(schema);
  }

  json object(const json& schema, int depth) {
    json out = json::object();
    const json* required = keyword(schema, "required");
    const json* properties = keyword(schema, "properties");
    if (required == nullptr || !required->is_array()) return out;
    static const json kText = {{"type", "string"}};
    for (const json& name : *required) {
      if (!name.is_string() || out.size() == kMostProperties) continue;
      const std::string& key = name.get_ref<const std::string&>();
      const json* property = properties == nullptr ? nullptr : keyword(*properties, key.c_str());
      out[key] = make(property != nullptr && property->is_object() ? *property : kText, depth + 1);
    }
    return out;
  }

  json array(const json& schema, int depth) {
    json out = json::array();
    const size_t count = count_keyword(schema, "minItems", 0, kMostItems);
    const json* items = keyword(schema, "items");
    const json* first = keyword(schema, "prefixItems");
    static const json kText = {{"type", "string"}};
    for (size_t i = 0; i < count; ++i) {
      const bool has_own = first != nullptr && first->is_array() && i < first->size();
      const json* item = has_own ? &(*first)[i] : items;
      out.push_back(make(item != nullptr && item->is_object() ? *item : kText, depth + 1));
    }
    return out;
  }

  // Within the bounds, and within 100 of the lower one.
  json number(const json& schema, bool whole) {
    const double step = whole ? 1 : 0.5;
    auto low = numeric_keyword(schema, "minimum");
    auto high = numeric_keyword(schema, "maximum");
    if (const auto value = numeric_keyword(schema, "exclusiveMinimum"))
      low = std::max(low.value_or(*value + step), whole ? std::floor(*value) + 1 : *value + step);
    if (const auto value = numeric_keyword(schema, "exclusiveMaximum"))
      high = std::min(high.value_or(*value - step), whole ? std::ceil(*value) - 1 : *value - step);
    if (whole && low) low = std::ceil(*low);
    if (whole && high) high = std::floor(*high);
    if (!low) low = high ? std::min(1.0, *high) : 1.0;
    if (!high) high = *low + 99;
    const double width = std::clamp(std::floor(*high - *low), 0.0, 99.0);
    double value = *low + static_cast<double>(random_.next() % (static_cast<uint64_t>(width) + 1));
    if (const auto of = numeric_keyword(schema, "multipleOf"); of && *of > 0) {
      value = std::ceil(*low / *of) * *of;
    }
    if (!std::isfinite(value)) return 1;
    const bool fits = std::abs(value) < 9e15 && value == std::floor(value);
    return fits ? json(static_cast<int64_t>(value)) : json(value);
  }

  json text(const json& schema) {
    if (const json* format = keyword(schema, "format"); format != nullptr && format->is_string())
      if (auto value = formatted(format->get_ref<const std::string&>())) return *value;
    const json* pattern = keyword(schema, "pattern");
    if (pattern != nullptr && pattern->is_string())
      if (auto value = pattern_instance(pattern->get_ref<const std::string&>(), random_))
        return *value;
    const size_t longest = count_keyword(schema, "maxLength", kLongestText, kLongestText);
    const size_t least = std::min(count_keyword(schema, "minLength", 0, kLongestText), longest);
    return letters(std::clamp<size_t>(8, least, longest));
  }

  std::string letters(size_t count) {
    std::string out(count, ' ');
    for (char& c : out) c = static_cast<char>('a' + random_.next() % 26);
    return out;
  }

  std::optional<std::string> formatted(const std::string& format) {
    const auto day = static_cast<unsigned>(random_.next() % 28 + 1);
    const auto minute = static_cast<unsigned>(random_.next() % 60);
    char out[64];
    const auto print = [&](const char* pattern, auto... values) {
      std::snprintf(out, sizeof(out), pattern, values...);
      return std::optional<std::string>(out);
    };
    if (format == "date-time") return print("2025-01-%02uT12:%02u:00Z", day, minute);
    if (format == "date") return print("2025-01-%02u", day);
    if (format == "time") return print("12:%02u:00Z", minute);
    if (format == "duration") return print("PT%uM", minute + 1);
    if (format == "email" || format == "idn-email") return letters(8) + "@example.com";
    if (format == "hostname" || format == "idn-hostname") return letters(8) + ".example.com";
    if (format == "uri" || format == "url" || format == "iri")
      return "https://example.com/" + letters(8);
    if (format == "uri-reference") return "/" + letters(8);
    if (format == "ipv4") return print("192.0.2.%u", day);  // set aside for examples, as the next
    if (format == "ipv6") return print("2001:db8::%x", day);
    if (format != "uuid") return std::nullopt;
    const uint64_t a = random_.next(), b = random_.next();
    return print("%08x-%04x-4%03x-a%03x-%012llx", static_cast<unsigned>(a >> 32),
                 static_cast<unsigned>(a >> 16 & 0xffff), static_cast<unsigned>(a & 0xfff),
                 static_cast<unsigned>(b >> 52), static_cast<unsigned long long>(b << 16 >> 16));
  }

  const json& root_;
  Random random_;
  int values_ = 0;
};

}  // namespace

json schema_instance(const json& schema, uint64_t draw) {
  return InstanceMaker(schema, draw).make(schema, 0);
}

}  // namespace plumb::http_load
