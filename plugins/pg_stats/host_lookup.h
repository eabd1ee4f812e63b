// The addresses of hosts, looked up beside the caller.
#ifndef PLUMB_PLUGINS_PG_STATS_HOST_LOOKUP_H_
#define PLUMB_PLUGINS_PG_STATS_HOST_LOOKUP_H_

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <vector>

namespace plumb::pg_stats {

// Numeric addresses by host name, in the resolver's order; none for a name that has none.
using HostAddresses = std::map<std::string, std::vector<std::string>>;

// libpq looks names up itself, and nothing bounds how long a resolver takes. Not thread-safe.
class HostLookup {
 public:
  // Begins at once.
  explicit HostLookup(const std::vector<std::string>& names);
  // What is still under way goes on in the C library, and is forgotten.
  ~HostLookup();
  HostLookup(HostLookup&&) noexcept;
  HostLookup& operator=(HostLookup&&) noexcept;

  // DEADLINE_EXCEEDED when nobody knows by `until`: ask again. CANCELLED within 50 ms of
  // `interrupted`.
  Result<HostAddresses> wait(std::chrono::steady_clock::time_point until,
                             const std::atomic<bool>& interrupted);

 private:
  struct Requests;
  std::unique_ptr<Requests> requests_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_HOST_LOOKUP_H_
