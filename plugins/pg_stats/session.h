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

// Every step ends by the moment that end_by() was last given: a statement gets what is left until
// then as its statement_timeout, and is not sent when that is next to nothing. Not thread-safe;
// `interrupted` may be set from any thread and makes a wait end within 50 ms, which loses the
// connection when an answer was under way.
class Session {
 public:
  using Clock = std::chrono::steady_clock;

  // A session that is not connected yet. `statement_timeout`: how long the server may work on a
  // statement at most. `interrupted` outlives the session.
  Session(const Dsn& dsn, std::chrono::milliseconds statement_timeout,
          const std::atomic<bool>& interrupted)
      : dsn_(dsn),
        lookup_(dsn.host_names()),
        longest_(statement_timeout),
        timeout_(statement_timeout),
        interrupted_(interrupted) {}
  // Looks the host up and connects, as far as time allows: after DEADLINE_EXCEEDED the next call
  // goes on. Another failure says what to do and holds no password.
  Status connect();

  void end_by(Clock::time_point until) { until_ = until; }
  std::chrono::milliseconds left() const;

  // Makes `sql` known under `name`, a constant.
  Status prepare(const char* name, const std::string& sql);
  // How many parameters a prepared statement takes.
  Result<int> parameters_of(const char* name);
  // Runs a prepared statement, or `sql` once. Failures: UNAVAILABLE the connection is lost (then
  // alive() is false); DEADLINE_EXCEEDED the statement took too long, waited for a lock, or was
  // not sent for want of time; PERMISSION_DENIED; NOT_FOUND what it names is not there; INTERNAL
  // with the server's sentence otherwise.
  Result<Rows> run(const char* name, const std::vector<std::string>& parameters = {});
  Result<Rows> query(const std::string& sql, const std::vector<std::string>& parameters = {});

  // Gives the connection up, where nobody knows any more what state the session is in.
  void abandon();

  // Not lost, though maybe not connected yet.
  bool alive() const {
    return !lost_ && (!connected_ || PQstatus(connection_.get()) == CONNECTION_OK);
  }
  int backend_pid() const { return PQbackendPID(connection_.get()); }
  // Of a connection that libpq refused to begin these are empty.
  std::string database() const { return text_or_empty(PQdb(connection_.get())); }
  std::string user() const { return text_or_empty(PQuser(connection_.get())); }
  // "127.0.0.1:5432", or the directory of the socket with the port.
  std::string endpoint() const;
  // "ip:port" of the server ("[ip]:port" for IPv6), or "" over a Unix socket.
  std::string address() const;
  std::string port() const { return text_or_empty(PQport(connection_.get())); }
  // Over a Unix socket or the loopback interface: maybe, but not surely, on this machine.
  bool over_loopback() const;
  // How this session's transactions ended, which the server counts among its own.
  struct Transactions {
    uint64_t committed = 0;
    uint64_t rolled_back = 0;
    void operator+=(const Transactions& more) {
      committed += more.committed;
      rolled_back += more.rolled_back;
    }
  };
  const Transactions& transactions() const { return transactions_; }
  // How long answers have been waited for, in all.
  double waited_seconds() const { return std::chrono::duration<double>(waited_).count(); }

 private:
  struct Finish {
    void operator()(PGconn* c) const { PQfinish(c); }
  };
  static std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }
  Status start_connecting();
  // Makes the server's statement_timeout fit what is left. DEADLINE_EXCEEDED: nothing fits.
  Status fit();
  // The longest timeout that leaves room for its answer; zero when none does.
  std::chrono::milliseconds fitting_timeout() const;
  bool in_transaction() const;
  Result<Rows> send_query(const std::string& sql, const std::vector<std::string>& parameters);
  Result<Rows> answer(const char* what, bool sent);
  Result<Rows> read_answer(const char* what, Clock::time_point until);
  Status flush(const char* what, Clock::time_point until);
  // For any of `events` of poll().
  Status wait(short events, Clock::time_point until);
  Status lost(const char* what, const std::string& reason);
  std::string reason() const;

  std::unique_ptr<PGconn, Finish> connection_;
  Dsn dsn_;
  HostLookup lookup_;
  PostgresPollingStatusType connecting_ = PGRES_POLLING_WRITING;
  bool connected_ = false;
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds timeout_;  // statement_timeout as the server has it
  Clock::time_point longer_from_;
  Clock::time_point until_;
  const std::atomic<bool>& interrupted_;
  Transactions transactions_;
  Clock::duration waited_{};
  bool in_transaction_ = false;  // after the last answer
  bool lost_ = false;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SESSION_H_
