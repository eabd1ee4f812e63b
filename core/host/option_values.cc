#include "core/host/option_values.h"

#include <cmath>
#include <utility>

namespace plumb::host {
namespace {

using nlohmann::json;

// Fills what `type` asks for from `value`; false when it is of another type.
bool fill(uint32_t type, const json& value, plumb_value& out, std::string& text) {
  switch (type) {
    case PLUMB_OPTION_STRING:
    case PLUMB_OPTION_PATH:
      if (!value.is_string() || value.get_ref<const std::string&>().find('\0') != std::string::npos)
        return false;
      text = value.get<std::string>();
      return true;
    case PLUMB_OPTION_NUMBER:
      if (!value.is_number()) return false;
      out.number = value.get<double>();
      return std::isfinite(out.number);
    case PLUMB_OPTION_BOOLEAN:
      if (!value.is_boolean()) return false;
      out.integer = value.get<bool>() ? 1 : 0;
      return true;
    default:
      if (!value.is_number_integer()) return false;
      if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX}) return false;
      out.integer = value.get<int64_t>();
      return true;
  }
}

}  // namespace

Result<OptionValues> OptionValues::from_json(const Manifest& manifest, const json& values) {
  OptionValues out;
  const std::string where = "plugin " + manifest.name + ": option ";
  for (const auto& [key, value] : values.items()) {
    const OptionInfo* option = manifest.option(key);
    if (option == nullptr) return Status::invalid_argument(where + key + " is not one it takes");
    if (value.is_null()) continue;
    plumb_value& converted = out.values_.emplace_back();
    converted.struct_size = sizeof(plumb_value);
    converted.type = option->type;
    converted.key = out.texts_.emplace_back(key).c_str();
    std::string text;
    if (!fill(option->type, value, converted, text)) {
      return Status::invalid_argument(where + key + " is no " +
                                      std::string(option_type_name(option->type)));
    }
    if (option->type == PLUMB_OPTION_STRING || option->type == PLUMB_OPTION_PATH) {
      converted.string = out.texts_.emplace_back(std::move(text)).c_str();
    }
  }
  for (const OptionInfo& option : manifest.options) {
    const bool given = values.contains(option.key) && !values.at(option.key).is_null();
    if (option.required && !given) {
      return Status::invalid_argument(where + option.key + " is required: " + option.help);
    }
  }
  return out;
}

}  // namespace plumb::host
