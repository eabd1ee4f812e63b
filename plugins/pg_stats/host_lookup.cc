#include "plugins/pg_stats/host_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>

namespace plumb::pg_stats {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookupSlice(50);

std::string numeric(const addrinfo& address) {
  char text[NI_MAXHOST];
  const int failed = ::getnameinfo(address.ai_addr, address.ai_addrlen, text, sizeof(text), nullptr,
                                   0, NI_NUMERICHOST);
  return failed == 0 ? text : std::string();
}

}  // namespace

// Stays where it is while the C library works on it.
struct HostLookup::Requests {
  std::deque<std::string> names;
  addrinfo hints{};
  std::deque<gaicb> each;
  std::vector<gaicb*> all;
  bool begun = false;

  bool under_way() const {
    return begun &&
           std::ranges::any_of(all, [](gaicb* one) { return ::gai_error(one) == EAI_INPROGRESS; });
  }
  ~Requests() {
    for (const gaicb& one : each)
      if (one.ar_result != nullptr) ::freeaddrinfo(one.ar_result);
  }
};

HostLookup::HostLookup(const std::vector<std::string>& names)
    : requests_(std::make_unique<Requests>()) {
  requests_->hints.ai_socktype = SOCK_STREAM;
  for (const std::string& name : names) {
    requests_->names.push_back(name);
    gaicb one{};
    one.ar_name = requests_->names.back().c_str();
    one.ar_request = &requests_->hints;
    requests_->each.push_back(one);
    requests_->all.push_back(&requests_->each.back());
  }
  requests_->begun =
      !names.empty() && ::getaddrinfo_a(GAI_NOWAIT, requests_->all.data(),
                                        static_cast<int>(requests_->all.size()), nullptr) == 0;
}

HostLookup::~HostLookup() {
  if (!requests_) return;
  for (gaicb* one : requests_->all) (void)::gai_cancel(one);
  // The library writes into them when it is done.
  if (requests_->under_way()) (void)requests_.release();
}

HostLookup::HostLookup(HostLookup&&) noexcept = default;
HostLookup& HostLookup::operator=(HostLookup&&) noexcept = default;

Result<HostAddresses> HostLookup::wait(std::chrono::steady_clock::time_point until,
                                       const std::atomic<bool>& interrupted) {
  while (requests_->under_way()) {
    if (interrupted.load(std::memory_order_relaxed)) return Status::cancelled("interrupted");
    const auto left = std::chrono::floor<milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return Status::deadline_exceeded("the host's name was not looked up in time");
    const timespec slice{0, std::min(left, kLookupSlice).count() * 1'000'000};
    (void)::gai_suspend(requests_->all.data(), static_cast<int>(requests_->all.size()), &slice);
  }
  HostAddresses addresses;
  for (size_t i = 0; i < requests_->names.size(); ++i) {
    std::vector<std::string>& of_name = addresses[requests_->names[i]];
    for (const addrinfo* a = requests_->each[i].ar_result; a != nullptr; a = a->ai_next)
      if (std::string text = numeric(*a); !text.empty()) of_name.push_back(std::move(text));
  }
  return addresses;
}

}  // namespace plumb::pg_stats
