#include "tests/support/postgres_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace plumb::test_support {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kPassword = "cluster-secret";

// The directory with initdb and postgres, or "".
std::string find_binaries() {
  std::vector<fs::path> places;
  if (const char* given = ::getenv("PLUMB_TEST_POSTGRES_BIN")) places.emplace_back(given);
  std::error_code ec;
  std::vector<fs::path> packaged;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ec))
    packaged.push_back(entry.path() / "bin");
  std::ranges::sort(packaged, std::greater<>{});
  places.insert(places.end(), packaged.begin(), packaged.end());
  places.emplace_back("/usr/pgsql/bin");
  std::string path = ::getenv("PATH") != nullptr ? ::getenv("PATH") : "";
  for (size_t at = 0; at < path.size();) {
    const size_t colon = std::min(path.find(':', at), path.size());
    places.emplace_back(path.substr(at, colon - at));
    at = colon + 1;
  }
  for (const fs::path& p : places)
    if (fs::exists(p / "initdb", ec) && fs::exists(p / "postgres", ec)) return p.string();
  return {};
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  int port = 0;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    port = ntohs(address.sin_port);
  ::close(fd);
  return port;
}

// The user to run the server as when this is root; otherwise none.
const passwd* server_user() { return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr; }

// Starts `command` with its output going to `log`; it dies with the calling thread.
pid_t spawn(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const passwd* user = server_user();
  const uid_t uid = user != nullptr ? user->pw_uid : ::geteuid();
  const gid_t gid = user != nullptr ? user->pw_gid : ::getegid();
  const std::string home = fs::path(log).parent_path().string();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  // Only async-signal-safe calls from here on.
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int in = ::open("/dev/null", O_RDONLY);
  if (out < 0 || in < 0) ::_exit(126);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  if (::chdir(home.c_str()) != 0) ::_exit(126);
  if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(gid) != 0 || ::setuid(uid) != 0))
    ::_exit(126);
  // After the change of user, which clears it. SIGQUIT would leave no time to clean up.
  ::prctl(PR_SET_PDEATHSIG, SIGINT);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// Waits until `pid` ends, or kills it at the bound. Returns the status of waitpid, or -1.
int wait_for(pid_t pid, seconds bound) {
  const auto until = Clock::now() + bound;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (Clock::now() >= until) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return -1;
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  return status;
}

}  // namespace

Result<std::unique_ptr<PostgresCluster>> PostgresCluster::create(const Options& options) {
  std::unique_ptr<PostgresCluster> cluster(new PostgresCluster());
  PLUMB_RETURN_IF_ERROR(cluster->make_directory());
  PLUMB_RETURN_IF_ERROR(cluster->make(options));
  PLUMB_RETURN_IF_ERROR(cluster->start());
  if (options.statements) {
    TestConnection connection(cluster->dsn());
    const std::string said = connection.run("CREATE EXTENSION pg_stat_statements");
    if (said.starts_with("ERROR: ")) return Status::internal(said);
  }
  return cluster;
}

Result<std::unique_ptr<PostgresCluster>> PostgresCluster::standby_of(
    const PostgresCluster& primary) {
  std::unique_ptr<PostgresCluster> cluster(new PostgresCluster());
  PLUMB_RETURN_IF_ERROR(cluster->make_directory());
  PLUMB_RETURN_IF_ERROR(cluster->copy(primary));
  PLUMB_RETURN_IF_ERROR(cluster->start());
  return cluster;
}

PostgresCluster::~PostgresCluster() {
  if (server_ > 0) (void)end(SIGQUIT);
  std::error_code ec;
  if (!directory_.empty()) fs::remove_all(directory_, ec);
}

Status PostgresCluster::make_directory() {
  binaries_ = find_binaries();
  if (binaries_.empty())
    return Status::not_found(
        "PostgreSQL's server is not installed (looked for initdb below /usr/lib/postgresql and in "
        "PATH): install the package postgresql, or set PLUMB_TEST_POSTGRES_BIN");
  if (::geteuid() == 0 && server_user() == nullptr)
    return Status::not_found("PostgreSQL does not run as root, and there is no user postgres");
  // A socket's path is short by law, so not below the build directory.
  std::string name = (fs::temp_directory_path() / "plumb-pg-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return Status::internal("cannot make " + name);
  directory_ = name;
  std::ofstream(directory_ + "/password") << kPassword << '\n';
  if (const passwd* user = server_user()) {
    if (::chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0 ||
        ::chown((directory_ + "/password").c_str(), user->pw_uid, user->pw_gid) != 0)
      return Status::internal("cannot give " + directory_ + " to the user postgres");
  }
  return Status::ok();
}

Status PostgresCluster::copy(const PostgresCluster& primary) {
  PLUMB_RETURN_IF_ERROR(
      run_to_end({binaries_ + "/pg_basebackup", "-D", directory_ + "/data", "-d",
                  primary.dsn() + "?application_name=standby", "-R", "-c", "fast", "--no-sync"}));
  std::ofstream conf(directory_ + "/data/postgresql.conf", std::ios::app);
  conf << "unix_socket_directories = '" << directory_ << "'\n";
  return conf.good() ? Status::ok() : Status::internal("cannot write postgresql.conf");
}

Status PostgresCluster::make(const Options& options) {
  PLUMB_RETURN_IF_ERROR(
      run_to_end({binaries_ + "/initdb", "-D", directory_ + "/data", "-U", "postgres",
                  "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile",
                  directory_ + "/password", "--no-sync", "--locale=C", "--encoding=UTF8"}));
  std::ofstream conf(directory_ + "/data/postgresql.conf", std::ios::app);
  conf << "listen_addresses = '127.0.0.1'\nunix_socket_directories = '" << directory_
       << "'\nmax_connections = 150\nshared_buffers = 32MB\nlog_min_messages = warning\nfsync = "
          "off\n";
  if (options.statements) conf << "shared_preload_libraries = 'pg_stat_statements'\n";
  for (const auto& [key, value] : options.settings) conf << key << " = '" << value << "'\n";
  return conf.good() ? Status::ok() : Status::internal("cannot write postgresql.conf");
}

Status PostgresCluster::run_to_end(const std::vector<std::string>& command) {
  const int status = wait_for(spawn(command, directory_ + "/log"), seconds(30));
  if (status == 0) return Status::ok();
  return Status::internal(command[0] + " failed: " + log_tail());
}

Status PostgresCluster::start() {
  if (server_ > 0) return Status::invalid_argument("the server runs already");
  // Another process may take the port between the choice and the server's bind.
  Status status;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (port_ == 0) port_ = free_port();
    server_ =
        spawn({binaries_ + "/postgres", "-D", directory_ + "/data", "-p", std::to_string(port_)},
              directory_ + "/log");
    if (server_ < 0) return Status::internal("fork failed");
    status = wait_until_it_answers();
    if (status.is_ok()) return status;
    port_ = 0;
  }
  return status;
}

Status PostgresCluster::wait_until_it_answers() {
  const auto until = Clock::now() + seconds(20);
  while (Clock::now() < until) {
    int status = 0;
    if (::waitpid(server_, &status, WNOHANG) == server_) {
      server_ = -1;
      return Status::internal("postgres ended at once: " + log_tail());
    }
    if (PQping(dsn().c_str()) == PQPING_OK) return Status::ok();
    std::this_thread::sleep_for(milliseconds(20));
  }
  (void)end(SIGQUIT);
  return Status::deadline_exceeded("postgres did not answer within 20 s: " + log_tail());
}

Status PostgresCluster::end(int signal) {
  if (server_ <= 0) return Status::invalid_argument("the server does not run");
  ::kill(server_, signal);
  wait_for(server_, seconds(20));
  server_ = -1;
  return Status::ok();
}

Status PostgresCluster::stop() { return end(SIGINT); }

Status PostgresCluster::crash() { return end(SIGQUIT); }

std::string PostgresCluster::dsn(const std::string& database) const {
  return dsn(database, "postgres", kPassword);
}

std::string PostgresCluster::dsn(const std::string& database, const std::string& user,
                                 const std::string& password) const {
  return "postgresql://" + user + ":" + password + "@127.0.0.1:" + std::to_string(port_) + "/" +
         database;
}

std::string PostgresCluster::socket_dsn(const std::string& database) const {
  return "host=" + directory_ + " port=" + std::to_string(port_) +
         " user=postgres dbname=" + database;
}

std::string PostgresCluster::log_tail() const {
  std::ifstream file(directory_ + "/log");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.size() > 800 ? text.substr(text.size() - 800) : text;
}

TestConnection::TestConnection(const std::string& dsn, const std::string& application) {
  const char* keys[] = {"dbname", "application_name", "connect_timeout", nullptr};
  const char* values[] = {dsn.c_str(), application.c_str(), "5", nullptr};
  connection_.reset(PQconnectdbParams(keys, values, 1));
}

std::string TestConnection::run(const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()),
                                                             &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    return std::string("ERROR: ") + PQerrorMessage(connection_.get());
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

void TestConnection::send(const std::string& sql) {
  (void)PQsendQuery(connection_.get(), sql.c_str());
}

void TestConnection::finish() {
  while (PGresult* result = PQgetResult(connection_.get())) PQclear(result);
}

}  // namespace plumb::test_support
