#include "core/host/json_fields.h"

namespace plumb::host {
namespace {

constexpr int kDeepest = 16;

// Looked at before parsing, since nlohmann's later walks over a value are recursive.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, size_t most_bytes, std::string_view what) {
  const std::string name(what);
  if (text.size() > most_bytes) {
    return Status::invalid_argument(name + ": " + std::to_string(text.size()) +
                                    " bytes of JSON, more than the limit of " +
                                    std::to_string(most_bytes));
  }
  if (too_deep(text)) return Status::invalid_argument(name + ": JSON nested too deeply");
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Status::invalid_argument(name + ": not valid JSON in UTF-8");
  return json;
}

JsonFields::JsonFields(const nlohmann::json& object, std::string what)
    : object_(object), what_(std::move(what)) {
  if (!object_.is_object()) fail("not a JSON object");
}

void JsonFields::fail(std::string_view problem) {
  if (status_.is_ok()) status_ = Status::invalid_argument(what_ + ": " + std::string(problem));
}

void JsonFields::wrong(const char* key, std::string_view expected) {
  fail(std::string(key) + " is not " + std::string(expected));
}

const nlohmann::json* JsonFields::find(const char* key) {
  if (!status_.is_ok()) return nullptr;
  const auto it = object_.find(key);
  if (it != object_.end()) return &*it;
  fail(std::string(key) + " is missing");
  return nullptr;
}

std::string JsonFields::text(const char* key, size_t most) {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return {};
  const auto* string = value->get_ptr<const std::string*>();
  if (string == nullptr || string->size() > most || string->find('\0') != std::string::npos) {
    wrong(key, "a string of at most " + std::to_string(most) + " bytes");
    return {};
  }
  return *string;
}

std::optional<std::string> JsonFields::optional_text(const char* key, size_t most) {
  if (!status_.is_ok() || !object_.contains(key) || object_.at(key).is_null()) return std::nullopt;
  return text(key, most);
}

int64_t JsonFields::integer(const char* key, int64_t least, int64_t most) {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return 0;
  const bool fits =
      value->is_number_integer() &&
      (!value->is_number_unsigned() ||
       value->get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  if (!fits || value->get<int64_t>() < least || value->get<int64_t>() > most) {
    wrong(key, "an integer in range");
    return 0;
  }
  return value->get<int64_t>();
}

uint32_t JsonFields::number32(const char* key, uint32_t least, uint32_t most) {
  return static_cast<uint32_t>(integer(key, least, most));
}

uint64_t JsonFields::number64(const char* key) { return static_cast<uint64_t>(integer(key, 0)); }

bool JsonFields::boolean(const char* key) {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return false;
  if (!value->is_boolean()) {
    wrong(key, "true or false");
    return false;
  }
  return value->get<bool>();
}

std::vector<std::string> JsonFields::texts(const char* key, size_t most_items, size_t most_bytes) {
  std::vector<std::string> out;
  const nlohmann::json* list = array(key, most_items);
  if (list == nullptr) return out;
  for (const nlohmann::json& item : *list) {
    const auto* string = item.get_ptr<const std::string*>();
    if (string == nullptr || string->size() > most_bytes ||
        string->find('\0') != std::string::npos) {
      wrong(key, "a list of strings");
      return {};
    }
    out.push_back(*string);
  }
  return out;
}

const nlohmann::json* JsonFields::object(const char* key, size_t most_items) {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->is_object() && value->size() <= most_items) return value;
  wrong(key, "an object of at most " + std::to_string(most_items) + " keys");
  return nullptr;
}

const nlohmann::json* JsonFields::array(const char* key, size_t most_items) {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->is_array() && value->size() <= most_items) return value;
  wrong(key, "a list of at most " + std::to_string(most_items) + " items");
  return nullptr;
}

}  // namespace plumb::host
