#include "pg_connection.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "errors.h"

namespace shop {
namespace {

void ignore_notice(void*, const char*) {}

// libpq explains over several lines; the first one holds the reason.
std::string first_line(const char* message) {
  const std::string_view text(message);
  return std::string(text.substr(0, text.find('\n')));
}

// True when the address splits in one way only: an unescaped '@', '/' or '?' inside the password
// would make the rest of it look like a host or a database, and be shown.
bool is_plain(const std::string& address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string::npos) return true;
  const std::size_t start = std::min(address.find("://") + 3, at);
  return address.substr(start, at - start).find_first_of("@/?#") == std::string::npos;
}

// The address as it may be shown: without the password and without any parameters. Empty when
// that cannot be told.
std::string without_secrets(const std::string& address) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(address.c_str(), nullptr), &PQconninfoFree);
  if (!options || !is_plain(address)) return "";
  std::string user, host, port, name;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "user") user = std::string(option->val) + "@";
    if (keyword == "host") host = option->val;
    if (keyword == "port") port = std::string(":") + option->val;
    if (keyword == "dbname") name = option->val;
  }
  return "postgresql://" + user + host + port + "/" + name;
}

std::string describe_failure(const std::string& address, const PGconn* connection) {
  const std::string shown = without_secrets(address);
  if (!shown.empty())
    return "cannot connect to " + shown + ": " + first_line(PQerrorMessage(connection));
  // libpq's own words about an address that it cannot read would quote it, password and all.
  return "cannot read the database address; it must look like postgresql://user@host:port/name, "
         "with @ / ? # in a password written as %40 %2F %3F %23";
}

std::vector<const char*> pointers(const PgConnection::Values& values) {
  std::vector<const char*> out;
  out.reserve(values.size());
  for (const std::string& value : values) out.push_back(value.c_str());
  return out;
}

}  // namespace

std::int64_t PgResult::integer(int row, int column) const {
  return std::strtoll(PQgetvalue(result_.get(), row, column), nullptr, 10);
}

PgConnection::PgConnection(const std::string& address) : connection_(nullptr, &PQfinish) {
  const char* keywords[] = {"dbname", "application_name", "connect_timeout", nullptr};
  const char* values[] = {address.c_str(), "shop", "5", nullptr};
  connection_.reset(PQconnectdbParams(keywords, values, 1));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw Unavailable(describe_failure(address, connection_.get()));
  }
  PQsetNoticeProcessor(connection_.get(), &ignore_notice, nullptr);
  query("SET search_path = shop");
}

PgResult PgConnection::query(const char* sql, const Values& values) {
  if (values.empty()) return checked(PQexec(connection_.get(), sql));
  return checked(PQexecParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr,
                              pointers(values).data(), nullptr, nullptr, 0));
}

void PgConnection::prepare(const char* name, const char* sql) {
  checked(PQprepare(connection_.get(), name, sql, 0, nullptr));
}

PgResult PgConnection::execute(const char* name, const Values& values) {
  return checked(PQexecPrepared(connection_.get(), name, static_cast<int>(values.size()),
                                pointers(values).data(), nullptr, nullptr, 0));
}

bool PgConnection::usable() const {
  return PQstatus(connection_.get()) == CONNECTION_OK &&
         PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}

void PgConnection::roll_back() noexcept { PQclear(PQexec(connection_.get(), "ROLLBACK")); }

PgResult PgConnection::checked(PGresult* result) {
  PgResult owned(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw Unavailable("the database: " + first_line(PQerrorMessage(connection_.get())));
  }
  return owned;
}

}  // namespace shop
