// The options of an instance as they cross the boundary (plumb_value), made from JSON in carried
// units and held to the plugin's option table.
#ifndef PLUMB_CORE_HOST_OPTION_VALUES_H_
#define PLUMB_CORE_HOST_OPTION_VALUES_H_

#include <plumb/abi/plugin.h>

#include <deque>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/host/manifest.h"

namespace plumb::host {

class OptionValues {
 public:
  // `values` maps keys to strings, integers, numbers or booleans. A key that the plugin does not
  // declare, a value of another type than declared, or a missing required option is an
  // INVALID_ARGUMENT that names the key (never the value, which may be a secret). null counts as
  // absent.
  static Result<OptionValues> from_json(const Manifest& manifest, const nlohmann::json& values);

  // Lives as long as this; moving keeps it valid.
  const std::vector<plumb_value>& values() const { return values_; }

 private:
  std::deque<std::string> texts_;  // a deque: its strings stay where they are
  std::vector<plumb_value> values_;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_OPTION_VALUES_H_
