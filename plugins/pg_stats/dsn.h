// The connection string of the plan, and what may be said of it in a message.
#ifndef PLUMB_PLUGINS_PG_STATS_DSN_H_
#define PLUMB_PLUGINS_PG_STATS_DSN_H_

#include <chrono>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/pg_stats/host_lookup.h"

namespace plumb::pg_stats {

// A parsed connection string. It holds the password; nothing that its functions return for people
// does, connection_parameters aside.
class Dsn {
 public:
  // Takes both forms that libpq takes: a postgresql:// URL, and key=value words. A failure says
  // what a right one looks like and repeats nothing of `text`, which may be a password.
  static Result<Dsn> parse(const std::string& text);

  // The hosts that are names to look up, those of a service file or PGHOST among them.
  std::vector<std::string> host_names() const;

  // What to connect with: the user's words, with the sampler's own session settings put over them
  // (read-only, short timeouts), and each of `addresses` in the place of its host; a host that has
  // none is left out, unless all would be. For libpq only: it holds the password.
  std::vector<std::pair<std::string, std::string>> connection_parameters(
      std::chrono::milliseconds statement_timeout, const HostAddresses& addresses = {}) const;

  // The value given for `key` ("host", "user", ...), or "".
  std::string value(std::string_view key) const;

  // `text` with the password taken out wherever it stands, `also` (a password that libpq found
  // elsewhere) too.
  std::string scrub(std::string text, std::string_view also = {}) const;

 private:
  void take_hosts_of_surroundings();
  // Puts hosts, their addresses and their ports into lists of one length, as libpq takes them.
  void spread_hosts(const HostAddresses& addresses,
                    std::vector<std::pair<std::string, std::string>>& parameters) const;

  std::vector<std::pair<std::string, std::string>> words_;
};

// Says why a connection could not be had, in one sentence with what to do. `endpoint` is
// "host:port" or the socket's path; `reason` is libpq's message, already scrubbed.
Status explain_connect_failure(const std::string& reason, const std::string& endpoint,
                               const std::string& user, const std::string& database);

// Nobody knows an address of `host`, as dsn names it.
Status host_unknown(const std::string& host);

// The first line of a libpq message, without its severity and trailing white space, in UTF-8 and of
// bounded length.
std::string first_line(std::string_view message);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_DSN_H_
