#include "core/serve/named_hosts.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace plumb::serve {
namespace {

using std::string_view;

void keep(string_view host, std::vector<std::string>& out) {
  if (host.empty() || host.front() == '/' || host.front() == '@') return;
  out.emplace_back(host);
}

// "name:port", "[::1]:port" or either without a port.
string_view without_port(string_view place) {
  if (!place.empty() && place.front() == '[') {
    const size_t close = place.find(']');
    return place.substr(1, close == string_view::npos ? close : close - 1);
  }
  return place.substr(0, place.find(':'));
}

template <typename Visit>
void each_of_list(string_view list, const Visit& visit) {
  while (true) {
    const size_t comma = list.find(',');
    visit(list.substr(0, comma));
    if (comma == string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

void add_authority(string_view text, std::vector<std::string>& out) {
  const size_t scheme = text.find("://");
  if (scheme == string_view::npos) return;
  string_view authority = text.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#\\"));
  if (const size_t user = authority.rfind('@'); user != string_view::npos)
    authority.remove_prefix(user + 1);
  each_of_list(authority, [&](string_view place) { keep(without_port(place), out); });
}

// What stands behind `key` and an equals sign, in quotes or up to a space or the next parameter.
void add_parameter(string_view text, string_view key, std::vector<std::string>& out) {
  for (size_t at = text.find(key); at != string_view::npos; at = text.find(key, at + 1)) {
    if (at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0) continue;
    string_view rest = text.substr(at + key.size());
    const auto skip_spaces = [&rest] {
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    };
    skip_spaces();
    if (rest.empty() || rest.front() != '=') continue;
    rest.remove_prefix(1);
    skip_spaces();
    const bool quoted = !rest.empty() && rest.front() == '\'';
    if (quoted) rest.remove_prefix(1);
    rest = rest.substr(0, rest.find_first_of(quoted ? "'" : " \t\r\n&"));
    each_of_list(rest, [&](string_view host) { keep(host, out); });
  }
}

}  // namespace

std::vector<std::string> named_hosts(const nlohmann::json& options) {
  std::vector<std::string> out;
  if (options.is_structured()) {
    for (const auto& value : options)
      for (std::string& host : named_hosts(value)) out.push_back(std::move(host));
  } else if (options.is_string()) {
    const auto& text = options.get_ref<const std::string&>();
    add_authority(text, out);
    add_parameter(text, "host", out);
    add_parameter(text, "hostaddr", out);
  }
  return out;
}

}  // namespace plumb::serve
