// Makes room for the load's connections under the limit on open files.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_DESCRIPTOR_LIMIT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_DESCRIPTOR_LIMIT_H_

#include <sys/resource.h>

#include <cstdint>
#include <plumb/status.hpp>

namespace plumb::http_load {

// The limit to set for `connections`: the one given when it suffices, otherwise the soft limit
// raised to the hard one, or an error that names the remedy when that is still too low.
Result<rlimit> fit_descriptors(rlimit now, int64_t connections);
// Does so for this process.
Status reserve_descriptors(int64_t connections);
// Whether the local ports that the kernel hands out, as net.ipv4.ip_local_port_range gives them
// ("32768\t60999"), are enough for so many connections to one address. An unreadable range is.
Status check_local_ports(const std::string& range, int64_t connections);
std::string local_port_range();

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_DESCRIPTOR_LIMIT_H_
