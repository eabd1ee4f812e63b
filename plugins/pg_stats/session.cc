#include "plugins/pg_stats/session.h"

#include <poll.h>

#include <algorithm>
#include <charconv>

namespace plumb::pg_stats {
namespace {

using std::chrono::milliseconds;

// An answer may take this much longer than the server may work on it: the way, and the time until
// a busy server notices that its time is up.
constexpr milliseconds kAnswerMargin(400);
// What is shorter is not worth asking.
constexpr milliseconds kLeastTimeout(50);
constexpr milliseconds kInterruptSlice(50);
// A timeout that was shortened stays so for a while, or every call of a slow server would ask for
// both; where so much time is left, the question does not matter.
constexpr std::chrono::seconds kShortFor(10);
constexpr milliseconds kPlenty(2500);

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
  // A function, a table or view, a schema, a column.
  if (state == "42883" || state == "42P01" || state == "3F000" || state == "42703")
    return Status::not_found(said);
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

Status Session::start_connecting() {
  PLUMB_ASSIGN_OR_RETURN(const HostAddresses addresses, lookup_.wait(until_, interrupted_));
  const bool no_address =
      !addresses.empty() &&
      std::ranges::all_of(addresses, [](const auto& host) { return host.second.empty(); });
  if (no_address) return host_unknown(dsn_.value("host"));
  const auto parameters = dsn_.connection_parameters(longest_, addresses);
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : parameters) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keys.data(), values.data(), 0));
  if (!connection_) return Status::resource_exhausted("out of memory for a connection");
  // What the server's notices say, nobody reads; without this libpq prints them.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  if (PQstatus(connection_.get()) == CONNECTION_BAD) connecting_ = PGRES_POLLING_FAILED;
  return Status::ok();
}

Status Session::connect() {
  if (!connection_) PLUMB_RETURN_IF_ERROR(start_connecting());
  while (connecting_ != PGRES_POLLING_OK) {
    if (connecting_ == PGRES_POLLING_FAILED)
      return explain_connect_failure(reason(), endpoint(), user(), database());
    PLUMB_RETURN_IF_ERROR(wait(connecting_ == PGRES_POLLING_WRITING ? POLLOUT : POLLIN, until_));
    connecting_ = PQconnectPoll(connection_.get());
  }
  // Else libpq would wait without a limit for room in the socket's buffer.
  if (PQsetnonblocking(connection_.get(), 1) != 0) return lost("connect", first_line(reason()));
  connected_ = true;
  // The server has ended one of its own, in which it looked up the role and the database.
  ++transactions_.committed;
  return Status::ok();
}

milliseconds Session::left() const {
  return std::max(milliseconds(0), std::chrono::floor<milliseconds>(until_ - Clock::now()));
}

bool Session::in_transaction() const {
  const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

milliseconds Session::fitting_timeout() const {
  const milliseconds fits = left() - kAnswerMargin;
  // By halves, so that not every statement of a slow call needs another one.
  for (milliseconds timeout = longest_; timeout >= kLeastTimeout; timeout /= 2)
    if (timeout <= fits) return timeout;
  return milliseconds(0);
}

Status Session::fit() {
  // Inside a transaction a setting would end with it: whoever opened it has set its own.
  if (in_transaction()) return Status::ok();
  const milliseconds timeout = fitting_timeout();
  const Status no_time = Status::deadline_exceeded("no time was left to ask");
  if (timeout.count() == 0) return no_time;
  if (timeout == timeout_) return Status::ok();
  const bool longer = timeout > timeout_;
  if (longer && left() < kPlenty && Clock::now() < longer_from_) return Status::ok();
  PLUMB_RETURN_IF_ERROR(send_query("SELECT /* plumb */ set_config('statement_timeout', $1, false)",
                                   {std::to_string(timeout.count())})
                            .status());
  timeout_ = timeout;
  if (!longer) longer_from_ = Clock::now() + kShortFor;
  return fitting_timeout().count() == 0 ? no_time : Status::ok();
}

Status Session::wait(short events, Clock::time_point until) {
  pollfd p{PQsocket(connection_.get()), events, 0};
  while (true) {
    if (interrupted_.load(std::memory_order_relaxed)) return Status::cancelled("interrupted");
    const auto remaining = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (remaining.count() <= 0) return Status::deadline_exceeded("no answer in time");
    const auto slice = std::min<milliseconds>(remaining, kInterruptSlice);
    if (::poll(&p, 1, static_cast<int>(slice.count())) > 0) return Status::ok();
  }
}

void Session::abandon() {
  // Whether the server still ends by itself what it was asked to do outside a transaction, nobody
  // knows; an open transaction it surely rolls back.
  if (in_transaction_) ++transactions_.rolled_back;
  in_transaction_ = false;
  lost_ = true;
}

Status Session::lost(const char* what, const std::string& why) {
  abandon();
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
  const auto until = std::min<Clock::time_point>(until_, begun + timeout_ + kAnswerMargin);
  const Status flushed = flush(what, until);
  Result<Rows> rows = flushed.is_ok() ? read_answer(what, until) : Result<Rows>(flushed);
  waited_ += Clock::now() - begun;
  return rows;
}

Status Session::flush(const char* what, Clock::time_point until) {
  while (true) {
    const int unsent = PQflush(connection_.get());
    if (unsent == 0) return Status::ok();
    if (unsent < 0) return lost(what, first_line(reason()));
    if (const Status s = wait(POLLIN | POLLOUT, until); !s.is_ok()) return lost(what, s.message());
    // A server that cannot get rid of what it says takes nothing in.
    if (PQconsumeInput(connection_.get()) == 0) return lost(what, first_line(reason()));
  }
}

Result<Rows> Session::read_answer(const char* what, Clock::time_point until) {
  Rows rows(nullptr);
  bool have = false;
  bool rolled_back = false;
  Status failure;
  while (true) {
    while (PQisBusy(connection_.get()) != 0) {
      if (const Status s = wait(POLLIN, until); !s.is_ok()) return lost(what, s.message());
      if (PQconsumeInput(connection_.get()) == 0) return lost(what, first_line(reason()));
    }
    PGresult* result = PQgetResult(connection_.get());
    if (result == nullptr) break;
    Rows part(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      rolled_back = std::string_view(PQcmdStatus(result)) == "ROLLBACK";
      rows = std::move(part);
      have = true;
    } else if (failure.is_ok()) {
      failure = query_failure(what, result, dsn_.scrub(PQresultErrorMessage(result)));
    }
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    return lost(what, failure.is_ok() ? first_line(reason()) : failure.message());
  in_transaction_ = in_transaction();
  if (!in_transaction_)
    ++(failure.is_ok() && !rolled_back ? transactions_.committed : transactions_.rolled_back);
  if (!failure.is_ok()) return failure;
  if (!have) return Status::internal(std::string(what) + ": the server gave no answer");
  return rows;
}

Status Session::prepare(const char* name, const std::string& sql) {
  PLUMB_RETURN_IF_ERROR(fit());
  const bool sent = PQsendPrepare(connection_.get(), name, sql.c_str(), 0, nullptr) == 1;
  return answer(name, sent).status();
}

Result<int> Session::parameters_of(const char* name) {
  PLUMB_RETURN_IF_ERROR(fit());
  const bool sent = PQsendDescribePrepared(connection_.get(), name) == 1;
  PLUMB_ASSIGN_OR_RETURN(const Rows description, answer(name, sent));
  return description.parameters();
}

Result<Rows> Session::run(const char* name, const std::vector<std::string>& parameters) {
  PLUMB_RETURN_IF_ERROR(fit());
  std::vector<const char*> values;
  for (const std::string& p : parameters) values.push_back(p.c_str());
  const bool sent = PQsendQueryPrepared(connection_.get(), name, static_cast<int>(values.size()),
                                        values.data(), nullptr, nullptr, 0) == 1;
  return answer(name, sent);
}

Result<Rows> Session::query(const std::string& sql, const std::vector<std::string>& parameters) {
  PLUMB_RETURN_IF_ERROR(fit());
  return send_query(sql, parameters);
}

Result<Rows> Session::send_query(const std::string& sql,
                                 const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& p : parameters) values.push_back(p.c_str());
  const bool sent =
      PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 1;
  return answer("query", sent);
}

std::string Session::endpoint() const {
  const char* host = connection_ ? PQhost(connection_.get()) : nullptr;
  const char* port = connection_ ? PQport(connection_.get()) : nullptr;
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
