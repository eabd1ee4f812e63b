#include "core/session/catalog_options.h"

namespace plumb::session {

std::vector<plan::PluginOptions> plugin_options(const engine::Catalog& catalog) {
  std::vector<plan::PluginOptions> out;
  for (const engine::CatalogEntry& entry : catalog.entries()) {
    plan::PluginOptions plugin{.name = entry.manifest.name, .role = entry.manifest.role};
    for (const host::OptionInfo& option : entry.manifest.options)
      plugin.options.push_back({.key = option.key,
                                .type = static_cast<plan::OptionType>(option.type),
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
