// JSON web tokens made here, signed with a shared secret (HS256, RFC 7515).
#ifndef PLUMB_PLUGINS_HTTP_LOAD_JWT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_JWT_H_

#include <cstdint>
#include <memory>
#include <plumb/status.hpp>
#include <string>
#include <string_view>

#include "plugins/http_load/authorization.h"
#include "plugins/http_load/template.h"

namespace plumb::http_load {

// `claims` is a JSON object's text.
std::string sign_hs256(std::string_view claims, std::string_view secret);

// Every user has a token of its own, made anew after four fifths of its life. The claims may hold
// {{user}}; iat and exp are added unless the plan gives them.
class JwtAuthorization final : public Authorization {
 public:
  static Result<std::unique_ptr<JwtAuthorization>> open(const AuthPlan& plan);
  void renew(uint64_t user, int64_t now_ms, Credential& mine) const override;

 private:
  std::string claims_for(uint64_t user, int64_t now_ms) const;

  std::string secret_;
  Template claims_;
  bool adds_iat_ = true;
  bool adds_exp_ = true;
  int64_t ttl_ms_ = 0;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_JWT_H_
