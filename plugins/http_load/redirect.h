// Where a redirect leads, by RFC 9110 and RFC 3986.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_REDIRECT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_REDIRECT_H_

#include <plumb/status.hpp>
#include <string>

namespace plumb::http_load {

// 301, 302, 303, 307 and 308.
bool is_redirect(int status);

// The path and query that `location` stands for, seen from `path` at `origin`
// (scheme://host[:port]). An error, fit for a report, when it leads to another origin or nowhere.
Result<std::string> resolve_location(const std::string& origin, const std::string& path,
                                     const std::string& location);

// What the method becomes: GET after a POST that 301 or 302 redirects, and after anything but HEAD
// that 303 does. The body goes when the method changes.
std::string redirected_method(int status, const std::string& method);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_REDIRECT_H_
