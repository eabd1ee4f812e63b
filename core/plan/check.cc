#include "core/plan/check.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/base/nearest.h"
#include "core/plan/quantity.h"

namespace plumb::plan {
namespace {

using Json = nlohmann::json;

// The value in carried units, or nothing when the text is no such thing.
std::optional<Json> parse_scalar(OptionType type, const std::string& text) {
  const auto wrap = [](const auto& value) -> std::optional<Json> {
    if (!value) return std::nullopt;
    return Json(*value);
  };
  switch (type) {
    case OptionType::kInteger:
    case OptionType::kIntegers:
      return wrap(parse_integer(text));
    case OptionType::kNumber:
      return wrap(parse_number(text));
    case OptionType::kBoolean:
      return wrap(parse_boolean(text));
    case OptionType::kSize:
      return wrap(parse_size(text));
    case OptionType::kRate:
      return wrap(parse_rate(text));
    case OptionType::kRatio:
      return wrap(parse_ratio(text));
    case OptionType::kDuration:
      if (const auto value = parse_duration(text)) return Json(value->count());
      return std::nullopt;
    default:
      return Json(text);
  }
}

// The carried value as a user would write it.
Json render(OptionType type, const Json& carried) {
  switch (type) {
    case OptionType::kDuration:
      return format_duration(std::chrono::nanoseconds(carried.get<int64_t>()));
    case OptionType::kRate:
      return format_rate(carried.get<double>());
    case OptionType::kRatio:
      return format_ratio(carried.get<double>());
    case OptionType::kSize:
      return format_size(carried.get<int64_t>());
    default:
      return carried;
  }
}

// A number without its unit is the commonest slip; what was likely meant.
std::string slip(OptionType type, const std::string& text) {
  if (text.starts_with('-')) return "it cannot be negative";
  const bool bare = parse_number(text).has_value();
  if (bare && type == OptionType::kDuration)
    return "with its unit: " + text + "s or " + text + "ms";
  if (bare && type == OptionType::kRate) return "with its unit: " + text + "/s";
  return {};
}

// With `hidden`, as it may be shown: what came from the environment or, unless `open`, stands under
// the name of a secret is redacted and its text added there.
Json any_value(const Node& node, std::vector<std::string>* hidden = nullptr, bool open = false) {
  Json out;
  if (hidden != nullptr && node.kind == Node::Kind::kScalar && node.substituted) {
    hidden->push_back(node.text);
    return kRedacted;
  }
  switch (node.kind) {
    case Node::Kind::kNull:
      break;
    case Node::Kind::kList:
      out = Json::array();
      for (const Node& item : node.items) out.push_back(any_value(item, hidden, open));
      break;
    case Node::Kind::kMap:
      out = Json::object();
      for (const Node& entry : node.entries) {
        out[entry.key] = any_value(entry, hidden, open);
        if (hidden == nullptr || open || entry.kind != Node::Kind::kScalar ||
            !is_secret_header(entry.key))
          continue;
        hidden->push_back(entry.text);
        out[entry.key] = kRedacted;
      }
      break;
    case Node::Kind::kScalar:
      if (node.quoted)
        out = node.text;
      else if (node.text == "null" || node.text == "~" || node.text.empty())
        out = nullptr;
      else if (node.text == "true" || node.text == "false")
        out = node.text == "true";
      else if (const auto integer = parse_integer(node.text))
        out = *integer;
      else if (const auto number = parse_number(node.text))
        out = *number;
      else
        out = node.text;
  }
  return out;
}

// Tokens stand in the query of an address, or of a path: its values are not shown. What is neither
// stays as it is.
std::string without_query_values(const std::string& text) {
  const size_t query = text.find('?');
  const bool address = text.starts_with('/') || text.find("://") < query;
  if (query == std::string::npos || !address) return text;
  std::string out = text.substr(0, query);
  for (size_t at = query; at < text.size();) {
    const size_t end = std::min(text.find_first_of("&;#", at + 1), text.size());
    const size_t equals = text.find('=', at);
    const size_t name_end = equals < end ? equals + 1 : at + 1;
    out.append(text, at, name_end - at);
    if (name_end < end) out += kRedacted;
    at = end;
  }
  return out;
}

// What the environment gives there is taken for a secret: a token in a path, say.
bool hides_environment(std::string_view key) {
  return key.starts_with("load.requests.") || key.starts_with("load.auth.");
}

std::string_view kind_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return "a plain value";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "keys";
  }
  return "nothing";
}

std::string got(const OptionRow& row, const Node& node) {
  if (node.kind != Node::Kind::kScalar) return std::string("got ") + std::string(kind_of(node));
  if (row.secret || node.substituted) return "got something else (not shown)";
  return "got " + in_quotes(node.text);
}

class Checker {
 public:
  Checker(Problems& problems, Checked& out) : problems_(problems), out_(out) {}

  Json section(const SchemaNode& schema, const Node& node, const std::string& prefix, Mark where) {
    Json resolved = Json::object();
    if (node.kind != Node::Kind::kMap && node.kind != Node::Kind::kNull) {
      const std::string key = prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1);
      problems_.at(node, key,
                   "expected keys such as " + list(schema.child_keys(), 3) + ", got " +
                       std::string(kind_of(node)));
      return resolved;
    }
    out_.sections[prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1)] = where;
    report_strange_keys(schema, node, prefix);
    for (const SchemaNode& child : schema.children) {
      const std::string key = prefix + child.key;
      const Node* value = node.find(child.key);
      if (value == nullptr && prefix == "plugins.") continue;
      if (value == nullptr && !child.row.default_value) {
        if (child.row.required) missing(child, key, node, where);
        continue;
      }
      const Node fallback{.kind = Node::Kind::kScalar,
                          .text = child.row.default_value.value_or(""),
                          .layer = Layer::kDefault,
                          .source = "default"};
      Json shown = one(child, value == nullptr ? fallback : *value, key, mark_of(node, child.key));
      if (!shown.is_discarded()) resolved[child.key] = std::move(shown);
    }
    return resolved;
  }

 private:
  static std::string list(const std::vector<std::string>& words, size_t most) {
    std::string out;
    for (size_t i = 0; i < std::min(words.size(), most); ++i)
      out += (i == 0 ? "" : ", ") + words[i];
    return out;
  }
  static Mark mark_of(const Node& map, std::string_view key) {
    for (const Node& entry : map.entries)
      if (entry.key == key) return entry.key_mark;
    return map.mark;
  }

  void report_strange_keys(const SchemaNode& schema, const Node& node, const std::string& prefix) {
    for (size_t i = 0; i < node.entries.size(); ++i) {
      const Node& entry = node.entries[i];
      const auto first =
          std::find_if(node.entries.begin(), node.entries.begin() + static_cast<long>(i),
                       [&](const Node& e) { return e.key == entry.key; });
      if (first != node.entries.begin() + static_cast<long>(i))
        at_key(entry,
               "duplicate key " + in_quotes(entry.key) + ", first given in line " +
                   std::to_string(first->key_mark.line),
               "keep one of the two");
      else if (schema.find(entry.key) == nullptr)
        unknown(schema, entry, prefix);
    }
  }
  void unknown(const SchemaNode& schema, const Node& entry, const std::string& prefix) {
    const auto keys = schema.child_keys();
    std::string hint = did_you_mean(entry.key, keys);
    if (!hint.empty()) hint.erase(0, 1);
    if (prefix == "plugins.") {
      if (!hint.empty()) hint += " ";
      hint += keys.empty() ? "No plugin is installed." : "Installed: " + list(keys, 50) + ".";
      at_key(entry, "there is no plugin " + in_quotes(entry.key), hint);
      return;
    }
    if (hint.empty()) hint = "known here: " + list(keys, 50);
    const std::string place = prefix.empty() ? "" : " in " + prefix.substr(0, prefix.size() - 1);
    at_key(entry, "unknown key " + in_quotes(entry.key) + place, hint);
  }
  void at_key(const Node& entry, std::string message, std::string hint) {
    if (entry.source.empty() && entry.key_mark.line > 0)
      problems_.at(entry.key_mark, "", std::move(message), std::move(hint));
    else
      problems_.from(source_below(entry), "", std::move(message), std::move(hint));
  }
  // A section made on the way to a value from outside has no source of its own.
  static std::string source_below(const Node& node) {
    if (!node.source.empty()) return node.source;
    for (const Node& entry : node.entries)
      if (std::string source = source_below(entry); !source.empty()) return source;
    return "--set";
  }
  void missing(const SchemaNode& child, const std::string& key, const Node& section, Mark where) {
    if (where.line == 0) where = section.mark.line > 0 ? section.mark : Mark{1, 1};
    problems_.at(where, key, "is missing", child.row.help);
  }

  // The value as the resolved plan shows it; discarded when it is wrong or stands nowhere.
  Json one(const SchemaNode& schema, const Node& node, const std::string& key, Mark key_mark) {
    const OptionRow& row = schema.row;
    switch (row.type) {
      case OptionType::kSection:
        return section(schema, node, key + ".", key_mark);
      case OptionType::kSections:
        return sections(schema, node, key);
      case OptionType::kStrings:
      case OptionType::kIntegers:
        return scalars(row, node, key);
      case OptionType::kStringMap:
        return string_map(row, node, key);
      case OptionType::kAny:
        keep(row, node, key, any_value(node));
        return hides_environment(key) ? any_value(node, &out_.secrets, row.open)
                                      : out_.values[key].carried;
      default:
        return scalar(row, node, key);
    }
  }

  Json sections(const SchemaNode& schema, const Node& node, const std::string& key) {
    if (node.kind == Node::Kind::kNull) return Json(Json::value_t::discarded);
    if (node.kind != Node::Kind::kList) {
      problems_.at(node, key, "expected a list, got " + std::string(kind_of(node)),
                   "begin each item with a dash");
      return Json(Json::value_t::discarded);
    }
    Json resolved = Json::array();
    keep(schema.row, node, key, Json(node.items.size()));
    for (size_t i = 0; i < node.items.size(); ++i) {
      const Node& item = node.items[i];
      resolved.push_back(section(schema, item, key + "." + std::to_string(i) + ".", item.mark));
    }
    return resolved;
  }

  Json scalars(const OptionRow& row, const Node& node, const std::string& key) {
    Json carried = Json::array();
    Json shown = Json::array();
    std::vector<const Node*> items;
    if (node.kind == Node::Kind::kScalar) {
      items.push_back(&node);
    } else if (node.kind == Node::Kind::kList) {
      for (const Node& item : node.items) items.push_back(&item);
    } else {
      wrong(row, node, key);
      return Json(Json::value_t::discarded);
    }
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string item_key = items[i] == &node ? key : key + "." + std::to_string(i);
      auto value = checked_scalar(row, *items[i], item_key);
      if (!value) continue;
      const bool hidden = items[i]->substituted && hides_environment(key);
      if (hidden) out_.secrets.push_back(items[i]->text);
      shown.push_back(hidden ? Json(kRedacted) : *value);
      carried.push_back(std::move(*value));
    }
    keep(row, node, key, std::move(carried));
    return shown;
  }

  Json string_map(const OptionRow& row, const Node& node, const std::string& key) {
    if (node.kind != Node::Kind::kMap) {
      wrong(row, node, key);
      return Json(Json::value_t::discarded);
    }
    Json carried = Json::object();
    Json shown = Json::object();
    for (const Node& entry : node.entries) {
      if (entry.kind != Node::Kind::kScalar) {
        problems_.at(entry, key + "." + entry.key,
                     "expected text, got " + std::string(kind_of(entry)));
        continue;
      }
      if (carried.contains(entry.key))
        at_key(entry, "duplicate key " + in_quotes(entry.key), "keep one of the two");
      carried[entry.key] = entry.text;
      const bool hidden = (!row.open && is_secret_header(entry.key)) || entry.substituted;
      shown[entry.key] = hidden ? kRedacted : entry.text;
      if (hidden) out_.secrets.push_back(entry.text);
    }
    keep(row, node, key, carried);
    return shown;
  }

  Json scalar(const OptionRow& row, const Node& node, const std::string& key) {
    auto carried = checked_scalar(row, node, key);
    if (!carried) return Json(Json::value_t::discarded);
    const bool hidden = node.substituted && hides_environment(key);
    if (hidden) out_.secrets.push_back(node.text);
    Json shown = row.secret || hidden ? Json(kRedacted) : render(row.type, *carried);
    if (key.starts_with("plugins.") && shown.is_string())
      shown = without_query_values(shown.get<std::string>());
    keep(row, node, key, std::move(*carried));
    return shown;
  }

  std::optional<Json> checked_scalar(const OptionRow& row, const Node& node,
                                     const std::string& key) {
    if (node.kind != Node::Kind::kScalar) {
      wrong(row, node, key);
      return std::nullopt;
    }
    if (row.required && node.text.empty()) {
      problems_.at(node, key, "is empty", row.help);
      return std::nullopt;
    }
    const bool text = row.type == OptionType::kString || row.type == OptionType::kPath;
    auto carried = parse_scalar(row.type, node.text);
    if (!carried || (node.quoted && !text && node.text.empty())) {
      wrong(row, node, key);
      return std::nullopt;
    }
    if (!row.one_of.empty() &&
        std::find(row.one_of.begin(), row.one_of.end(), node.text) == row.one_of.end()) {
      std::string hint = did_you_mean(node.text, row.one_of);
      if (!hint.empty()) hint.erase(0, 1);
      problems_.at(node, key, "expected one of " + list(row.one_of, 50) + ", " + got(row, node),
                   hint);
      return std::nullopt;
    }
    if (!within_range(row, node, key, *carried)) return std::nullopt;
    return carried;
  }

  bool within_range(const OptionRow& row, const Node& node, const std::string& key,
                    const Json& carried) {
    if (!carried.is_number()) return true;
    const auto outside = [&](const std::optional<std::string>& bound, bool above) {
      if (!bound) return false;
      const auto limit = parse_scalar(row.type, *bound);
      if (!limit || !limit->is_number()) return false;
      const auto value = carried.get<double>();
      if (above ? value <= limit->get<double>() : value >= limit->get<double>()) return false;
      problems_.at(node, key,
                   std::string(above ? "at most " : "at least ") + *bound + " is allowed, " +
                       got(row, node));
      return true;
    };
    return !outside(row.minimum, false) && !outside(row.maximum, true);
  }

  void wrong(const OptionRow& row, const Node& node, const std::string& key) {
    if (node.kind == Node::Kind::kNull) {
      problems_.at(node, key,
                   "has no value: expected " + std::string(option_type_expectation(row.type)));
      return;
    }
    const bool shown = node.kind == Node::Kind::kScalar && !row.secret && !node.substituted;
    problems_.at(
        node, key,
        "expected " + std::string(option_type_expectation(row.type)) + ", " + got(row, node),
        shown ? slip(row.type, node.text) : "");
  }

  void keep(const OptionRow& row, const Node& node, const std::string& key, Json carried) {
    out_.order.push_back(key);
    out_.values[key] = {std::move(carried), node.text,   node.mark,
                        node.layer,         node.source, row.secret};
  }

  Problems& problems_;
  Checked& out_;
};

}  // namespace

bool is_secret_header(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* word : {"auth", "cookie", "token", "secret", "key", "password", "session"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

Checked check(const Node& root, const SchemaNode& schema, Problems& problems) {
  Checked out;
  out.resolved = Checker(problems, out).section(schema, root, "", {1, 1});
  return out;
}

}  // namespace plumb::plan
