#include "core/session/catalog_options.h"

namespace plumb::session {
namespace {

// Of a plugin's numbers those with the unit "ratio" are shares, which a plan may write as 5%.
plan::OptionType type_of(const host::OptionInfo& option) {
  const bool share = option.type == PLUMB_OPTION_NUMBER && option.unit == "ratio";
  return share ? plan::OptionType::kRatio : static_cast<plan::OptionType>(option.type);
}

}  // namespace

std::vector<plan::PluginOptions> plugin_options(const engine::Catalog& catalog) {
  std::vector<plan::PluginOptions> out;
  for (const engine::CatalogEntry& entry : catalog.entries()) {
    plan::PluginOptions plugin{.name = entry.manifest.name, .role = entry.manifest.role};
    for (const host::OptionInfo& option : entry.manifest.options)
      plugin.options.push_back({.key = option.key,
                                .type = type_of(option),
                                .unit = option.unit.value_or(""),
                                .default_value = option.default_value,
                                .minimum = option.minimum,
                                .maximum = option.maximum,
                                .one_of = option.one_of,
                                .required = option.required,
                                .secret = option.secret,
                                .help = option.help});
    out.push_back(std::move(plugin));
  }
  return out;
}

}  // namespace plumb::session
