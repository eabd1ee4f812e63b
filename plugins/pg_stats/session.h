// One read-only connection to PostgreSQL whose every step has a time limit.
#ifndef PLUMB_PLUGINS_PG_STATS_SESSION_H_
#define PLUMB_PLUGINS_PG_STATS_SESSION_H_

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/pg_stats/dsn.h"

namespace plumb::pg_stats {

// The rows of one answer, as text. Columns are found by name; a row or column that is not there is
// a programmer's error.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}
  int count() const { return PQntuples(result_.get()); }
  // -1 when there is no such column.
  int column(const char* name) const { return PQfnumber(result_.get(), name); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  // "" for null.
  std::string_view text(int row, int column) const;
  // 0 for null and for what is no number.
  int64_t integer(int row, int column) const;
  double number(int row, int column) const;
  bool boolean(int row, int column) const { return text(row, column) == "t"; }
  // The elements of an integer array; empty for null.
  std::vector<int> integers(int row, int column) const;
  // Of the description of a prepared statement.
  int parameters() const { return PQnparams(result_.get()); }

 private:
  struct Clear {
    void operator()(PGresult* r) const { PQclear(r); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

// Not thread-safe; `interrupted` may be set from any thread and makes a wait end within 50 ms,
// which loses the connection when an answer was under way.
class Session {
 public:
  struct Limits {
    std::chrono::milliseconds connect{5000};
    std::chrono::milliseconds statement{1000};  // on the server; here half a second more is waited
  };

  // Connects. The failure says what to do and holds no password. `interrupted` outlives the
  // session.
  static Result<std::unique_ptr<Session>> open(const Dsn& dsn, const Limits& limits,
                                               const std::atomic<bool>& interrupted);

  // Makes `sql` known under `name`, a constant.
  Status prepare(const char* name, const std::string& sql);
  // How many parameters a prepared statement takes.
  Result<int> parameters_of(const char* name);
  // Runs a prepared statement, or `sql` once. Failures: UNAVAILABLE the connection is lost (then
  // alive() is false); DEADLINE_EXCEEDED the statement took too long, or waited for a lock;
  // PERMISSION_DENIED; INTERNAL with the server's sentence otherwise.
  Result<Rows> run(const char* name, const std::vector<std::string>& parameters = {});
  Result<Rows> query(const std::string& sql, const std::vector<std::string>& parameters = {});

  // From now on no answer is waited for longer than `until`, whatever the limits say.
  void wait_no_longer_than(std::chrono::steady_clock::time_point until) { last_moment_ = until; }

  bool alive() const { return !lost_ && PQstatus(connection_.get()) == CONNECTION_OK; }
  int backend_pid() const { return PQbackendPID(connection_.get()); }
  std::string database() const { return PQdb(connection_.get()); }
  std::string user() const { return PQuser(connection_.get()); }
  // "127.0.0.1:5432", or the directory of the socket with the port.
  std::string endpoint() const;
  // "ip:port" of the server ("[ip]:port" for IPv6), or "" over a Unix socket.
  std::string address() const;
  std::string port() const { return PQport(connection_.get()); }
  // Over a Unix socket or the loopback interface: maybe, but not surely, on this machine.
  bool over_loopback() const;
  // Transactions that this session has ended, which the server counts among its own.
  uint64_t transactions() const { return transactions_; }
  // How long answers have been waited for, in all.
  double waited_seconds() const { return std::chrono::duration<double>(waited_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Finish {
    void operator()(PGconn* c) const { PQfinish(c); }
  };
  Session(PGconn* connection, const Dsn& dsn, const Limits& limits,
          const std::atomic<bool>& interrupted)
      : connection_(connection), dsn_(dsn), limits_(limits), interrupted_(interrupted) {}

  Status connect();
  Result<Rows> answer(const char* what, bool sent);
  Result<Rows> read_answer(const char* what, Clock::time_point until);
  Status wait(bool for_write, Clock::time_point until);
  Status lost(const char* what, const std::string& reason);
  std::string reason() const;

  std::unique_ptr<PGconn, Finish> connection_;
  Dsn dsn_;
  Limits limits_;
  const std::atomic<bool>& interrupted_;
  Clock::time_point last_moment_ = Clock::time_point::max();
  uint64_t transactions_ = 0;
  Clock::duration waited_{};
  bool lost_ = false;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SESSION_H_
