#include "core/serve/plugin_listing.h"

#include "core/signal/signal.h"

namespace plumb::serve {
namespace {

using nlohmann::json;

void set_if_given(json& out, const char* key, const std::optional<std::string>& value) {
  if (value) out[key] = *value;
}

json option_json(const host::OptionInfo& option) {
  json out = {{"key", option.key},
              {"type", host::option_type_name(option.type)},
              {"required", option.required},
              {"secret", option.secret},
              {"help", option.help}};
  set_if_given(out, "unit", option.unit);
  set_if_given(out, "default", option.default_value);
  set_if_given(out, "minimum", option.minimum);
  set_if_given(out, "maximum", option.maximum);
  if (!option.one_of.empty()) out["one_of"] = option.one_of;
  return out;
}

json plugin_json(const engine::CatalogEntry& entry) {
  const host::Manifest& manifest = entry.manifest;
  json options = json::array();
  for (const host::OptionInfo& option : manifest.options) options.push_back(option_json(option));
  return {{"name", manifest.name},
          {"version", manifest.version},
          {"role", role_name(manifest.role)},
          {"summary", manifest.summary},
          {"needs", manifest.needs},
          {"library", entry.library.string()},
          {"rules", entry.rules.size()},
          {"options", std::move(options)}};
}

}  // namespace

json plugin_listing(const engine::Catalog& catalog) {
  json out = {
      {"plugins", json::array()}, {"refused", json::array()}, {"directories", json::array()}};
  for (const auto& entry : catalog.entries()) out["plugins"].push_back(plugin_json(entry));
  for (const auto& refusal : catalog.refusals()) {
    out["refused"].push_back({{"path", refusal.path.string()}, {"message", refusal.why.message()}});
  }
  for (const auto& directory : catalog.directories()) {
    out["directories"].push_back(directory.string());
  }
  return out;
}

}  // namespace plumb::serve
