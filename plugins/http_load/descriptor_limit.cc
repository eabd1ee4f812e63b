#include "plugins/http_load/descriptor_limit.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace plumb::http_load {
namespace {
// The host's sockets, libraries, name resolution, and a second socket per connection that is
// tried over IPv4 while IPv6 is still under way, for some of them.
constexpr int64_t kReserve = 128;
}  // namespace

Result<rlimit> fit_descriptors(rlimit now, int64_t connections) {
  const auto needed = static_cast<rlim_t>(connections + kReserve);
  if (now.rlim_cur >= needed) return now;
  if (now.rlim_max >= needed) {
    now.rlim_cur = now.rlim_max;
    return now;
  }
  return Status::resource_exhausted(
      std::to_string(connections) + " connections need " + std::to_string(needed) +
      " file descriptors, but the hard limit is " + std::to_string(now.rlim_max) +
      ": raise it (ulimit -Hn, or LimitNOFILE= of the systemd unit), or lower load.users or "
      "load.connections to " +
      std::to_string(std::max<int64_t>(0, static_cast<int64_t>(now.rlim_max) - kReserve)));
}

Status reserve_descriptors(int64_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return Status::internal(std::string("getrlimit: ") + std::strerror(errno));
  auto wanted = fit_descriptors(limit, connections);
  if (!wanted.is_ok()) return wanted.status();
  if (wanted->rlim_cur != limit.rlim_cur && setrlimit(RLIMIT_NOFILE, &*wanted) != 0)
    return Status::internal(std::string("setrlimit: ") + std::strerror(errno));
  return Status::ok();
}

}  // namespace plumb::http_load
