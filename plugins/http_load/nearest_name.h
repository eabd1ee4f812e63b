// "Did you mean" for names of a plan that only the plugin knows, such as a file's columns. Plugins
// see nothing of the core, which has one of its own.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_NEAREST_NAME_H_
#define PLUMB_PLUGINS_HTTP_LOAD_NEAREST_NAME_H_

#include <span>
#include <string>
#include <string_view>

namespace plumb::http_load {

// " Did you mean 'x'?", with the space before; " Known here: a, b." when nothing is near.
std::string name_hint(std::string_view word, std::span<const std::string> candidates);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_NEAREST_NAME_H_
