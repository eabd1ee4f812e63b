#include "plugins/pg_stats/dsn.h"

#include <arpa/inet.h>
#include <libpq-fe.h>

#include <algorithm>
#include <map>
#include <memory>

#include "plugins/pg_stats/statement_text.h"

namespace plumb::pg_stats {
namespace {

// Where it is written in the percent-encoding of a URL, too.
std::string percent_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view what) {
  if (what.empty()) return;
  static constexpr std::string_view kMask = "***";
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), kMask);
    at += kMask.size();
  }
}

// Of a URL: its only @ ends user and password.
bool dsn_has_one_at_sign(std::string_view text) {
  const size_t scheme = text.find("://");
  if (!text.starts_with("postgres") || scheme == std::string_view::npos) return true;
  const std::string_view rest = text.substr(scheme + 3, text.find('?') - scheme - 3);
  const size_t at = rest.find('@');
  if (at == std::string_view::npos) return true;
  return at < rest.find('/') && rest.find('@', at + 1) == std::string_view::npos;
}

// The elements between commas; one at least.
std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> out;
  while (true) {
    const size_t comma = list.find(',');
    out.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    list.remove_prefix(comma + 1);
  }
}

// Neither a socket's directory nor an address in numbers, nor left to libpq's default.
bool is_name(const std::string& host) {
  if (host.empty() || host.front() == '/' || host.front() == '@') return false;
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), bytes) != 1 &&
         ::inet_pton(AF_INET6, host.c_str(), bytes) != 1;
}

// A connection string in the place of one of its parts: libpq takes it for a plain name, and
// messages about that would print its password.
const char* holds_another_dsn(const Dsn& dsn) {
  if (dsn.value("dbname").find('=') != std::string::npos) return "dbname";
  for (const char* key : {"dbname", "host", "user"})
    if (dsn.value(key).find("://") != std::string::npos) return key;
  return nullptr;
}

// What libpq takes from a service file, or from PGHOST and its like, where `words` are silent. It
// tells that of a connection only, so one is begun with a setting for which libpq refuses it before
// anything is looked up or asked.
std::map<std::string, std::string> words_of_surroundings(
    const std::vector<std::pair<std::string, std::string>>& words) {
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : words) {
    if (key == "sslmode") continue;
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.insert(keys.end(), {"sslmode", nullptr});
  values.insert(values.end(), {"refused", nullptr});
  const std::unique_ptr<PGconn, decltype(&PQfinish)> refused(
      PQconnectStartParams(keys.data(), values.data(), 0), &PQfinish);
  std::map<std::string, std::string> out;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      refused ? PQconninfo(refused.get()) : nullptr, &PQconninfoFree);
  for (const PQconninfoOption* o = options.get(); o != nullptr && o->keyword != nullptr; ++o)
    if (o->val != nullptr) out.emplace(o->keyword, o->val);
  return out;
}

bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

}  // namespace

Result<Dsn> Dsn::parse(const std::string& text) {
  // libpq's own message quotes the part it choked on, which in a mistyped string is the password.
  char* message = nullptr;
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(text.c_str(), &message), &PQconninfoFree);
  if (message != nullptr) PQfreemem(message);
  if (!options)
    return Status::invalid_argument(
        "dsn is not a connection string: write postgresql://user:password@host:port/database "
        "(special characters of the password percent-encoded) or host=... port=... dbname=... "
        "user=... password=...");
  Dsn dsn;
  // libpq would take the rest of a password that holds these for a host or a database, and messages
  // about those would print it.
  if (!dsn_has_one_at_sign(text))
    return Status::invalid_argument(
        "dsn is ambiguous: percent-encode the special characters of its password (@ is %40, / is "
        "%2F)");
  for (const PQconninfoOption* o = options.get(); o->keyword != nullptr; ++o)
    if (o->val != nullptr) dsn.words_.emplace_back(o->keyword, o->val);
  if (const char* key = holds_another_dsn(dsn))
    return Status::invalid_argument(std::string("dsn has another connection string as its ") + key +
                                    ": give that one alone, or a plain name as " + key);
  if (dsn.value("host").empty() && dsn.value("hostaddr").empty()) dsn.take_hosts_of_surroundings();
  return dsn;
}

void Dsn::take_hosts_of_surroundings() {
  const std::map<std::string, std::string> known = words_of_surroundings(words_);
  for (const char* key : {"host", "hostaddr", "port"}) {
    const auto found = known.find(key);
    if (found != known.end() && value(key).empty()) words_.emplace_back(key, found->second);
  }
}

std::vector<std::string> Dsn::host_names() const {
  std::vector<std::string> names;
  if (!value("hostaddr").empty()) return names;
  for (const std::string& host : split_list(value("host")))
    if (is_name(host)) names.push_back(host);
  return names;
}

void Dsn::spread_hosts(const HostAddresses& addresses,
                       std::vector<std::pair<std::string, std::string>>& parameters) const {
  const std::vector<std::string> given = split_list(value("host"));
  const std::vector<std::string> ports = split_list(value("port"));
  // That they do not match is for libpq to say.
  if (ports.size() != 1 && ports.size() != given.size()) return;
  std::string hosts;
  std::string numbers;
  std::string their_ports;
  const auto add = [&](size_t i, const std::string& address) {
    const char* comma = hosts.empty() ? "" : ",";
    hosts += comma + given[i];
    numbers += comma + address;
    their_ports += comma + ports[ports.size() == given.size() ? i : 0];
  };
  for (size_t i = 0; i < given.size(); ++i) {
    const auto found = addresses.find(given[i]);
    if (found == addresses.end()) {
      add(i, "");  // a directory, or an address in numbers
    } else {
      for (const std::string& address : found->second) add(i, address);
    }
  }
  if (hosts.empty()) return;
  std::erase_if(parameters, [](const auto& p) { return p.first == "host" || p.first == "port"; });
  parameters.emplace_back("host", hosts);
  parameters.emplace_back("hostaddr", numbers);
  parameters.emplace_back("port", their_ports);
}

std::vector<std::pair<std::string, std::string>> Dsn::connection_parameters(
    std::chrono::milliseconds statement_timeout, const HostAddresses& addresses) const {
  std::string options = value("options");
  if (!options.empty()) options += ' ';
  options +=
      "-c default_transaction_read_only=on -c search_path=pg_catalog"
      " -c statement_timeout=" +
      std::to_string(statement_timeout.count()) +
      " -c lock_timeout=100 -c idle_in_transaction_session_timeout=10000";
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const auto& [key, text] : words_) {
    // The time limit is the caller's, who polls.
    if (key == "options" || key == "application_name" || key == "client_encoding" ||
        key == "connect_timeout" || key == "replication")
      continue;
    parameters.emplace_back(key, text);
  }
  if (!addresses.empty()) spread_hosts(addresses, parameters);
  parameters.emplace_back("application_name", "plumb");
  parameters.emplace_back("client_encoding", "UTF8");
  parameters.emplace_back("options", options);
  return parameters;
}

std::string Dsn::value(std::string_view key) const {
  const auto at = std::ranges::find(words_, key, [](const auto& w) { return w.first; });
  return at == words_.end() ? std::string() : at->second;
}

std::string Dsn::scrub(std::string text, std::string_view also) const {
  for (const std::string& secret : {value("password"), value("sslpassword"), std::string(also)}) {
    replace_all(text, secret);
    replace_all(text, percent_encoded(secret));
  }
  return text;
}

std::string first_line(std::string_view message) {
  message = message.substr(0, message.find('\n'));
  for (const std::string_view prefix : {"ERROR:", "FATAL:"})
    if (message.starts_with(prefix)) message.remove_prefix(prefix.size());
  while (!message.empty() && message.front() == ' ') message.remove_prefix(1);
  while (!message.empty() && (message.back() == ' ' || message.back() == '\r'))
    message.remove_suffix(1);
  // Before the encoding is agreed on, a server speaks in its own.
  return cut_text(message, kTableCharacters);
}

Status host_unknown(const std::string& host) {
  return Status::unavailable("the host of " + host + " has no address: check the host in dsn");
}

Status explain_connect_failure(const std::string& reason, const std::string& endpoint,
                               const std::string& user, const std::string& database) {
  const std::string at = "PostgreSQL at " + endpoint;
  if (contains(reason, "password authentication failed"))
    return Status::permission_denied(at + " refused the password of user \"" + user +
                                     "\": check user and password in dsn");
  if (contains(reason, "no password supplied"))
    return Status::permission_denied(at + " asks for a password of user \"" + user +
                                     "\": put one into dsn");
  if (contains(reason, "role \"") && contains(reason, "does not exist"))
    return Status::permission_denied(at + " has no role \"" + user + "\": check the user in dsn");
  if (contains(reason, "database \"") && contains(reason, "does not exist"))
    return Status::not_found(at + " has no database \"" + database +
                             "\": check the database in dsn");
  if (contains(reason, "Connection refused") || contains(reason, "No such file or directory"))
    return Status::unavailable("nothing listens at " + endpoint +
                               ": is PostgreSQL running, and are host and port in dsn right?");
  if (contains(reason, "could not translate host name")) return host_unknown(endpoint);
  if (contains(reason, "no pg_hba.conf entry"))
    return Status::permission_denied(at + " does not let user \"" + user +
                                     "\" in from here: add a line for it to pg_hba.conf");
  if (contains(reason, "too many connections") || contains(reason, "too many clients") ||
      contains(reason, "remaining connection slots"))
    return Status::unavailable(at +
                               " has no connection left for the sampler: raise "
                               "max_connections, or keep some with reserved_connections "
                               "(PostgreSQL 16) and GRANT pg_use_reserved_connections to the role");
  if (contains(reason, "invalid response to SSL negotiation") ||
      contains(reason, "invalid response to GSSAPI negotiation") ||
      contains(reason, "expected authentication request from server"))
    return Status::unavailable("what listens at " + endpoint +
                               " is no PostgreSQL server: check host and port in dsn");
  if (contains(reason, "unsupported startup parameter"))
    return Status::unsupported(endpoint +
                               " is a connection pooler that takes no session "
                               "settings: point dsn at PostgreSQL itself");
  return Status::unavailable("cannot connect to " + at + ": " + first_line(reason));
}

}  // namespace plumb::pg_stats
