#include "plugins/http_load/authorization.h"

#include "plugins/http_load/jwt.h"
#include "plugins/http_load/oauth2.h"

namespace plumb::http_load {

Result<std::unique_ptr<Authorization>> open_authorization(const AuthPlan& plan) {
  std::unique_ptr<Authorization> out;
  if (plan.type == AuthPlan::Type::kJwt) {
    PLUMB_ASSIGN_OR_RETURN(out, JwtAuthorization::open(plan));
  } else if (plan.type == AuthPlan::Type::kOauth2) {
    PLUMB_ASSIGN_OR_RETURN(out, Oauth2Authorization::open(plan));
  } else {
    return Status::invalid_argument("load.auth: this kind needs no tokens");
  }
  return out;
}

}  // namespace plumb::http_load
