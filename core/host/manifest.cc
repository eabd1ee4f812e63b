#include "core/host/manifest.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/host/json_fields.h"
#include "core/signal/signal.h"

namespace plumb::host {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr size_t kMaxManifest = size_t{1} << 20;
constexpr size_t kMaxOptions = 256;
constexpr size_t kMaxWord = 128;
constexpr size_t kMaxSentence = 4'096;

constexpr std::array<std::string_view, 8> kTypes = {"unknown", "string",   "integer", "number",
                                                    "boolean", "duration", "size",    "path"};

ordered_json or_null(const std::optional<std::string>& text) {
  return text ? ordered_json(*text) : ordered_json();
}

ordered_json option_json(const OptionInfo& option) {
  ordered_json out;
  out["key"] = option.key;
  out["type"] = option_type_name(option.type);
  out["unit"] = or_null(option.unit);
  out["default"] = or_null(option.default_value);
  out["min"] = or_null(option.minimum);
  out["max"] = or_null(option.maximum);
  out["one_of"] = option.one_of;
  out["required"] = option.required;
  out["secret"] = option.secret;
  out["help"] = option.help;
  return out;
}

Result<OptionInfo> option_of(const json& object, size_t number) {
  JsonFields fields(object, "option " + std::to_string(number));
  OptionInfo out;
  out.key = fields.text("key", kMaxWord);
  const std::string type = fields.text("type", kMaxWord);
  const auto* const known = std::find(kTypes.begin() + 1, kTypes.end(), type);
  if (known == kTypes.end()) fields.fail("unknown type '" + type + "'");
  out.type = static_cast<uint32_t>(known - kTypes.begin());
  out.unit = fields.optional_text("unit", kMaxWord);
  out.default_value = fields.optional_text("default", kMaxSentence);
  out.minimum = fields.optional_text("min", kMaxWord);
  out.maximum = fields.optional_text("max", kMaxWord);
  out.one_of = fields.texts("one_of", kMaxOptions, kMaxWord);
  out.required = fields.boolean("required");
  out.secret = fields.boolean("secret");
  out.help = fields.text("help", kMaxSentence);
  if (!is_identifier(out.key)) fields.fail("the key is not [a-z][a-z0-9_]*");
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

uint32_t role_of(std::string_view name) {
  for (const uint32_t role : {PLUMB_ROLE_SAMPLER, PLUMB_ROLE_LOAD, PLUMB_ROLE_ANALYZER}) {
    if (role_name(role) == name) return role;
  }
  return 0;
}

}  // namespace

const OptionInfo* Manifest::option(std::string_view key) const {
  const auto it = std::find_if(options.begin(), options.end(),
                               [&](const OptionInfo& option) { return option.key == key; });
  return it == options.end() ? nullptr : &*it;
}

std::string_view option_type_name(uint32_t type) {
  return type < kTypes.size() ? kTypes[type] : kTypes[0];
}

bool is_identifier(std::string_view text, size_t most) {
  if (text.empty() || text.size() > most || text[0] < 'a' || text[0] > 'z') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string manifest_json(const Manifest& manifest) {
  ordered_json out;
  out["name"] = manifest.name;
  out["version"] = manifest.version;
  out["role"] = role_name(manifest.role);
  out["summary"] = manifest.summary;
  out["abi"] = {{"major", manifest.abi_major}, {"minor", manifest.abi_minor}};
  out["file"] = manifest.file;
  out["default_interval"] = manifest.default_interval_ns;
  out["needs"] = manifest.needs;
  out["options"] = ordered_json::array();
  for (const OptionInfo& option : manifest.options) out["options"].push_back(option_json(option));
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(text, kMaxManifest, "manifest"));
  JsonFields fields(object, "manifest");
  Manifest out;
  out.name = fields.text("name", kMaxWord);
  out.version = fields.text("version", kMaxWord);
  const std::string role = fields.text("role", kMaxWord);
  out.role = role_of(role);
  if (out.role == 0) fields.fail("unknown role '" + role + "'");
  out.summary = fields.text("summary", kMaxSentence);
  out.file = fields.text("file", kMaxWord + 3);
  out.default_interval_ns = fields.integer("default_interval", 0);
  out.needs = fields.texts("needs", 16, kMaxWord);
  const json* abi = fields.object("abi", 8);
  const json* options = fields.array("options", kMaxOptions);
  if (!is_identifier(out.name)) fields.fail("the name is not [a-z][a-z0-9_]*");
  if (out.file.empty() || out.file.find('/') != std::string::npos) {
    fields.fail("file is not the name of a file beside the manifest");
  }
  PLUMB_RETURN_IF_ERROR(fields.status());
  JsonFields abi_fields(*abi, "manifest: abi");
  out.abi_major = abi_fields.number32("major");
  out.abi_minor = abi_fields.number32("minor");
  PLUMB_RETURN_IF_ERROR(abi_fields.status());
  for (const json& item : *options) {
    PLUMB_ASSIGN_OR_RETURN(OptionInfo option, option_of(item, out.options.size() + 1));
    if (out.option(option.key) != nullptr) {
      return Status::invalid_argument("manifest: option " + option.key + " is there twice");
    }
    out.options.push_back(std::move(option));
  }
  return out;
}

}  // namespace plumb::host
