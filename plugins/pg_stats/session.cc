#include "plugins/pg_stats/session.h"

#include <poll.h>

#include <algorithm>
#include <charconv>

namespace plumb::pg_stats {
namespace {

using std::chrono::milliseconds;

template <typename T>
T parsed(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Status query_failure(const char* what, const PGresult* result, const std::string& message) {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field != nullptr ? field : "";
  const std::string said = std::string(what) + ": " + first_line(message);
  if (state == "57014" || state == "55P03") return Status::deadline_exceeded(said);
  if (state == "42501") return Status::permission_denied(said);
  return Status::internal(said);
}

}  // namespace

std::string_view Rows::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int64_t Rows::integer(int row, int column) const { return parsed<int64_t>(text(row, column)); }

double Rows::number(int row, int column) const { return parsed<double>(text(row, column)); }

std::vector<int> Rows::integers(int row, int column) const {
  std::vector<int> out;
  std::string_view list = text(row, column);
  while (!list.empty()) {
    const size_t begin = list.find_first_of("-0123456789");
    if (begin == std::string_view::npos) break;
    list.remove_prefix(begin);
    int value = 0;
    const char* end = std::from_chars(list.data(), list.data() + list.size(), value).ptr;
    out.push_back(value);
    list.remove_prefix(std::max<size_t>(1, static_cast<size_t>(end - list.data())));
  }
  return out;
}

Result<std::unique_ptr<Session>> Session::open(const Dsn& dsn, const Limits& limits,
                                               const std::atomic<bool>& interrupted) {
  const auto parameters = dsn.connection_parameters(limits.statement);
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : parameters) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* connection = PQconnectStartParams(keys.data(), values.data(), 0);
  if (connection == nullptr) return Status::resource_exhausted("out of memory for a connection");
  // The constructor is private, so make_unique cannot.
  std::unique_ptr<Session> session(new Session(connection, dsn, limits, interrupted));
  PLUMB_RETURN_IF_ERROR(session->connect());
  return session;
}

Status Session::connect() {
  // What the server's notices say, nobody reads; without this libpq prints them.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  const auto until = Clock::now() + limits_.connect;
  // As the documentation of PQconnectPoll has it: begin as if it had asked to write.
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  if (PQstatus(connection_.get()) == CONNECTION_BAD) next = PGRES_POLLING_FAILED;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED)
      return explain_connect_failure(reason(), endpoint(), user(), database());
    if (const Status s = wait(next == PGRES_POLLING_WRITING, until); !s.is_ok()) {
      if (s.code() != PLUMB_DEADLINE_EXCEEDED) return s;
      return Status::unavailable("PostgreSQL at " + endpoint() + " did not answer within " +
                                 std::to_string(limits_.connect.count()) +
                                 " ms: check host and port in dsn, and the firewall between");
    }
    next = PQconnectPoll(connection_.get());
  }
  return Status::ok();
}

Status Session::wait(bool for_write, Clock::time_point until) {
  pollfd p{PQsocket(connection_.get()), static_cast<short>(for_write ? POLLOUT : POLLIN), 0};
  while (true) {
    if (interrupted_.load(std::memory_order_relaxed)) return Status::cancelled("interrupted");
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left.count() <= 0) return Status::deadline_exceeded("no answer in time");
    const auto slice = std::min<milliseconds>(left, milliseconds(50));
    if (::poll(&p, 1, static_cast<int>(slice.count())) > 0) return Status::ok();
  }
}

Status Session::lost(const char* what, const std::string& why) {
  lost_ = true;
  return Status::unavailable("the connection to PostgreSQL at " + endpoint() + " was lost (" +
                             what + "): " + why);
}

std::string Session::reason() const {
  const char* password = PQpass(connection_.get());
  return dsn_.scrub(PQerrorMessage(connection_.get()), password != nullptr ? password : "");
}

Result<Rows> Session::answer(const char* what, bool sent) {
  if (!sent) return lost(what, first_line(reason()));
  const auto begun = Clock::now();
  const auto until =
      std::min<Clock::time_point>(last_moment_, begun + limits_.statement + milliseconds(500));
  Result<Rows> rows = read_answer(what, until);
  waited_ += Clock::now() - begun;
  if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) ++transactions_;
  return rows;
}

Result<Rows> Session::read_answer(const char* what, Clock::time_point until) {
  Rows rows(nullptr);
  bool have = false;
  Status failure;
  while (true) {
    while (PQisBusy(connection_.get()) != 0) {
      if (const Status s = wait(false, until); !s.is_ok()) return lost(what, s.message());
      if (PQconsumeInput(connection_.get()) == 0) return lost(what, first_line(reason()));
    }
    PGresult* result = PQgetResult(connection_.get());
    if (result == nullptr) break;
    Rows part(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      rows = std::move(part);
      have = true;
    } else if (failure.is_ok()) {
      failure = query_failure(what, result, dsn_.scrub(PQresultErrorMessage(result)));
    }
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    return lost(what, failure.is_ok() ? first_line(reason()) : failure.message());
  if (!failure.is_ok()) return failure;
  if (!have) return Status::internal(std::string(what) + ": the server gave no answer");
  return rows;
}

Status Session::prepare(const char* name, const std::string& sql) {
  const bool sent = PQsendPrepare(connection_.get(), name, sql.c_str(), 0, nullptr) == 1;
  return answer(name, sent).status();
}

Result<int> Session::parameters_of(const char* name) {
  const bool sent = PQsendDescribePrepared(connection_.get(), name) == 1;
  PLUMB_ASSIGN_OR_RETURN(const Rows description, answer(name, sent));
  return description.parameters();
}

Result<Rows> Session::run(const char* name, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& p : parameters) values.push_back(p.c_str());
  const bool sent = PQsendQueryPrepared(connection_.get(), name, static_cast<int>(values.size()),
                                        values.data(), nullptr, nullptr, 0) == 1;
  return answer(name, sent);
}

Result<Rows> Session::query(const std::string& sql, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& p : parameters) values.push_back(p.c_str());
  const bool sent =
      PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 1;
  return answer("query", sent);
}

std::string Session::endpoint() const {
  const char* host = PQhost(connection_.get());
  const char* port = PQport(connection_.get());
  std::string out = host != nullptr && *host != '\0' ? host : dsn_.value("host");
  if (out.empty()) out = "localhost";
  if (port != nullptr && *port != '\0') out += std::string(":") + port;
  return out;
}

std::string Session::address() const {
  const char* text = PQhostaddr(connection_.get());
  const std::string ip = text != nullptr ? text : "";
  if (ip.empty() || ip.front() == '/') return {};
  return (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + port();
}

bool Session::over_loopback() const {
  const char* host = PQhost(connection_.get());
  const char* address = PQhostaddr(connection_.get());
  if (host != nullptr && (*host == '/' || *host == '@')) return true;
  const std::string_view a = address != nullptr ? address : "";
  return a.starts_with("127.") || a == "::1";
}

}  // namespace plumb::pg_stats
