#include "plugins/http_load/descriptor_limit.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
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
  std::string problem = std::to_string(connections) + " connections need " +
                        std::to_string(needed) + " file descriptors, but the hard limit is " +
                        std::to_string(now.rlim_max) +
                        ": raise it (ulimit -Hn, or LimitNOFILE= of the systemd unit)";
  const int64_t fitting = static_cast<int64_t>(now.rlim_max) - kReserve;
  if (fitting > 0)
    problem += ", or lower load.users or load.connections to " + std::to_string(fitting);
  return Status::resource_exhausted(problem);
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

Status check_local_ports(const std::string& range, int64_t connections) {
  int64_t first = 0;
  int64_t last = 0;
  if (std::sscanf(range.c_str(), "%" SCNd64 " %" SCNd64, &first, &last) != 2) return Status::ok();
  const int64_t ports = last - first + 1;
  if (connections <= ports) return Status::ok();
  return Status::resource_exhausted(
      std::to_string(connections) + " connections to one address need as many local ports, but " +
      "the kernel hands out " + std::to_string(ports) +
      ": widen them (sysctl net.ipv4.ip_local_port_range='1024 65535'), or lower load.users or "
      "load.connections");
}

std::string local_port_range() {
  std::ifstream in("/proc/sys/net/ipv4/ip_local_port_range");
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace plumb::http_load
