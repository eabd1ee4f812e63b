// The connection string of the plan, and what may be said of it in a message.
#ifndef PLUMB_PLUGINS_PG_STATS_DSN_H_
#define PLUMB_PLUGINS_PG_STATS_DSN_H_

#include <chrono>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plumb::pg_stats {

// A parsed connection string. It holds the password; nothing that its functions return for people
// does, connection_parameters aside.
class Dsn {
 public:
  // Takes both forms that libpq takes: a postgresql:// URL, and key=value words. A failure says
  // what a right one looks like and repeats nothing of `text`, which may be a password.
  static Result<Dsn> parse(const std::string& text);

  // What to connect with: the user's words, with the sampler's own session settings put over them
  // (read-only, short timeouts). For libpq only: it holds the password.
  std::vector<std::pair<std::string, std::string>> connection_parameters(
      std::chrono::milliseconds statement_timeout) const;

  // The value given for `key` ("host", "user", ...), or "".
  std::string value(std::string_view key) const;

  // `text` with the password taken out wherever it stands, `also` (a password that libpq found
  // elsewhere) too.
  std::string scrub(std::string text, std::string_view also = {}) const;

 private:
  std::vector<std::pair<std::string, std::string>> words_;
};

// Says why a connection could not be had, in one sentence with what to do. `endpoint` is
// "host:port" or the socket's path; `reason` is libpq's message, already scrubbed.
Status explain_connect_failure(const std::string& reason, const std::string& endpoint,
                               const std::string& user, const std::string& database);

// The first line of a libpq message, without its severity and trailing white space.
std::string first_line(std::string_view message);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_DSN_H_
