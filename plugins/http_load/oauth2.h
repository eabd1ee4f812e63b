// Tokens of an OAuth 2 server (RFC 6749): by client credentials, or with a refresh token that was
// obtained elsewhere. Fetched before the load begins and again before they expire, on a thread of
// their own.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_OAUTH2_H_
#define PLUMB_PLUGINS_HTTP_LOAD_OAUTH2_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <plumb/status.hpp>
#include <string>
#include <thread>

#include "plugins/http_load/authorization.h"

namespace plumb::http_load {

// What the token endpoint granted.
struct Grant {
  std::string access_token;
  std::string refresh_token;  // empty: the old one stays
  int64_t expires_in_s = 0;   // 0: it does not say
};

// Reads the endpoint's answer. Errors repeat its `error` and description, printable and cut, and
// never a secret of the plan.
Result<Grant> parse_grant(int status, std::string_view body, const AuthPlan& plan);

class Oauth2Authorization final : public Authorization {
 public:
  // Fetches the first token before it returns.
  static Result<std::unique_ptr<Oauth2Authorization>> open(const AuthPlan& plan);
  // Ends a fetch that is under way.
  ~Oauth2Authorization() override;
  Oauth2Authorization(const Oauth2Authorization&) = delete;
  Oauth2Authorization& operator=(const Oauth2Authorization&) = delete;

  void renew(uint64_t user, int64_t now_ms, Credential& mine) const override;

 private:
  explicit Oauth2Authorization(const AuthPlan& plan) : plan_(plan) {}
  Result<Grant> fetch();
  void take(const Grant& grant);
  void keep_fresh(int64_t expires_in_s);

  AuthPlan plan_;  // with the newest refresh token; after open() the thread's own
  // Not an atomic shared_ptr: GCC 12's load() reads the pointer without a release after it, which
  // ThreadSanitizer reports as a race with the next store.
  mutable std::mutex value_mutex_;
  std::shared_ptr<const std::string> value_;
  std::atomic<uint64_t> version_{0};  // of the value
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // of stopping_, for wake_
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_OAUTH2_H_
