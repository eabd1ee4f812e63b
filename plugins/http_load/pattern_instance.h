// Makes up text for a regular expression.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_PATTERN_INSTANCE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_PATTERN_INSTANCE_H_

#include <optional>
#include <string>
#include <string_view>

#include "plugins/http_load/random.h"

namespace plumb::http_load {

// Text that matches `pattern`, where that is a sequence of characters and classes with repetition
// counts; empty where it has groups or alternatives.
std::optional<std::string> pattern_instance(std::string_view pattern, Random& random);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_PATTERN_INSTANCE_H_
