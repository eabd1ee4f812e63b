#include "plugins/http_load/addresses.h"

#include <netdb.h>
#include <netinet/in.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>

namespace plumb::http_load {
namespace {

constexpr auto kRefresh = std::chrono::seconds(60);
constexpr auto kRetry = std::chrono::seconds(1);

struct FreeList {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, FreeList>;

// 0, or the resolver's code.
int query(const Origin& origin, int flags, AddressList& out) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(origin.host.c_str(), origin.port.c_str(), &hints, &list);
  if (code == 0) out.reset(list);
  return code;
}

std::vector<Address> addresses_in(const AddressList& list) {
  std::vector<Address> out;
  for (const addrinfo* at = list.get(); at != nullptr; at = at->ai_next) {
    Address& address = out.emplace_back();
    address.size = at->ai_addrlen;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
  }
  return out;
}

}  // namespace

Origin origin_of(const std::string& url) {
  Origin out;
  out.tls = url.starts_with("https://");
  out.authority = url.substr(url.find("://") + 3);
  out.port = out.tls ? "443" : "80";
  std::string_view rest = out.authority;
  const bool bracketed = rest.starts_with('[') && rest.find(']') != std::string_view::npos;
  const size_t host_end = bracketed ? rest.find(']') + 1 : std::min(rest.find(':'), rest.size());
  out.host = bracketed ? rest.substr(1, host_end - 2) : rest.substr(0, host_end);
  if (rest = rest.substr(host_end); rest.size() > 1) out.port = rest.substr(1);
  return out;
}

Addresses::Addresses(Origin origin) : origin_(std::move(origin)) {
  AddressList list;
  if (query(origin_, AI_NUMERICHOST, list) == 0) {
    found_ = addresses_in(list);
    return;
  }
  look_up();
  refresher_ = std::jthread([this](const std::stop_token& stop) { keep_looking(stop); });
}

Addresses::~Addresses() = default;

void Addresses::look_up() {
  AddressList list;
  const int code = query(origin_, 0, list);
  const std::lock_guard lock(mutex_);
  // Addresses that worked are kept through a failing resolver, as resolvers' caches do.
  if (code == 0) found_ = addresses_in(list);
  problem_ = code == 0 ? "" : origin_.host + ": " + gai_strerror(code);
}

void Addresses::keep_looking(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, found_.empty() ? kRetry : kRefresh, [] { return false; });
    }
    if (!stop.stop_requested()) look_up();
  }
}

std::vector<Address> Addresses::current() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

std::string Addresses::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

}  // namespace plumb::http_load
