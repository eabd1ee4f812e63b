// Credentials that change during a run: tokens that a server gives out, and tokens made here.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_AUTHORIZATION_H_
#define PLUMB_PLUGINS_HTTP_LOAD_AUTHORIZATION_H_

#include <cstdint>
#include <memory>
#include <plumb/status.hpp>
#include <string>

#include "plugins/http_load/scenario_plan.h"

namespace plumb::http_load {

// What one user sends: the value of the header Authorization. A secret.
struct Credential {
  std::shared_ptr<const std::string> value;  // shared with all who hold the same token
  uint64_t version = 0;
  int64_t until_ms = 0;  // of a token made for this user
};

// Shared by all workers.
class Authorization {
 public:
  virtual ~Authorization() = default;
  // Brings `mine` up to date for `user`, at `now_ms` since 1970. Any thread; never blocks.
  virtual void renew(uint64_t user, int64_t now_ms, Credential& mine) const = 0;
};

// For plans whose auth.is_dynamic(). Fetches the first token, which may take up to 10 s.
Result<std::unique_ptr<Authorization>> open_authorization(const AuthPlan& plan);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_AUTHORIZATION_H_
