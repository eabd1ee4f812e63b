// The hosts that a plugin's options name.
#ifndef PLUMB_CORE_SERVE_NAMED_HOSTS_H_
#define PLUMB_CORE_SERVE_NAMED_HOSTS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plumb::serve {

// Of every text in `options`, at any depth: the host of a URL, and what host= and hostaddr= of a
// database's connection string name, several ones parted by commas each by itself. As written, so
// that one written in a way nobody expects is a host that nobody listed. Paths of sockets and the
// empty host are this machine and left out.
std::vector<std::string> named_hosts(const nlohmann::json& options);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_NAMED_HOSTS_H_
