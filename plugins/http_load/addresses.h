// The addresses of the target's host. An address in the URL costs nothing; a name is looked up once
// at the start and again every minute on a thread of its own, since the system's resolver blocks.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_ADDRESSES_H_
#define PLUMB_PLUGINS_HTTP_LOAD_ADDRESSES_H_

#include <sys/socket.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace plumb::http_load {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// What a URL's origin says: scheme://host[:port]. The host has no brackets.
struct Origin {
  bool tls = false;
  std::string host;
  std::string port;
  std::string authority;  // host[:port] as written
};

// `url` has passed parse_load_plan().
Origin origin_of(const std::string& url);

class Addresses {
 public:
  // Looks the host up before it returns.
  explicit Addresses(Origin origin);
  ~Addresses();
  Addresses(const Addresses&) = delete;
  Addresses& operator=(const Addresses&) = delete;

  // In the order of preference; empty when the last look-up failed. Safe on any thread.
  std::vector<Address> current() const;
  // Why current() is empty, as the resolver says it.
  std::string problem() const;

 private:
  void look_up();
  void keep_looking(const std::stop_token& stop);

  const Origin origin_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Address> found_;
  std::string problem_;
  std::jthread refresher_;  // last: it uses all of the above
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_ADDRESSES_H_
