// A real PostgreSQL server for a test, made in a temporary directory and gone with it.
#ifndef PLUMB_TESTS_SUPPORT_POSTGRES_CLUSTER_H_
#define PLUMB_TESTS_SUPPORT_POSTGRES_CLUSTER_H_

#include <libpq-fe.h>
#include <sys/types.h>

#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <utility>
#include <vector>

namespace plumb::test_support {

// Listens on loopback and on a Unix socket inside its directory. Run as root, the server runs as
// the user `postgres`, since it refuses root. The server ends when the test's thread that started
// it does, however that ends. A failure means that the test fails: nothing is skipped.
class PostgresCluster {
 public:
  struct Options {
    bool statements = true;  // load pg_stat_statements and create it in database postgres
    // For postgresql.conf, over the fixture's own: fsync is off there, since nothing is kept.
    std::vector<std::pair<std::string, std::string>> settings;
  };

  // Makes a cluster and starts it; 30 s at most.
  static Result<std::unique_ptr<PostgresCluster>> create(const Options& options);
  static Result<std::unique_ptr<PostgresCluster>> create() { return create(Options()); }
  // A server that follows `primary`, as application "standby"; it is copied and started in 60 s at
  // most.
  static Result<std::unique_ptr<PostgresCluster>> standby_of(const PostgresCluster& primary);
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  // stop() breaks every connection off and waits for the server to be gone; crash() kills it
  // without a checkpoint. start() returns when it answers.
  Status start();
  Status stop();
  Status crash();

  int port() const { return port_; }
  // The superuser `postgres`, over TCP, with its password.
  std::string dsn(const std::string& database = "postgres") const;
  // Any role, over TCP.
  std::string dsn(const std::string& database, const std::string& user,
                  const std::string& password) const;
  // The superuser over the Unix socket.
  std::string socket_dsn(const std::string& database = "postgres") const;

 private:
  PostgresCluster() = default;
  Status make_directory();
  Status make(const Options& options);
  Status copy(const PostgresCluster& primary);
  Status run_to_end(const std::vector<std::string>& command);
  Status wait_until_it_answers();
  Status end(int signal);
  std::string log_tail() const;

  std::string binaries_;
  std::string directory_;
  int port_ = 0;
  pid_t server_ = -1;
};

// A connection of a test to a cluster.
class TestConnection {
 public:
  // `application` is shown as application_name.
  explicit TestConnection(const std::string& dsn, const std::string& application = "test");
  // Runs `sql` and returns the first column of the first row, or the server's error message behind
  // "ERROR: ".
  std::string run(const std::string& sql);
  // Sends `sql` and does not wait; finish() does.
  void send(const std::string& sql);
  void finish();
  int pid() const { return PQbackendPID(connection_.get()); }
  bool ok() const { return PQstatus(connection_.get()) == CONNECTION_OK; }

 private:
  struct Finish {
    void operator()(PGconn* c) const { PQfinish(c); }
  };
  std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace plumb::test_support

#endif  // PLUMB_TESTS_SUPPORT_POSTGRES_CLUSTER_H_
