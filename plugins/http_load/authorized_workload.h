// Credentials that change, for a workload that knows nothing of them.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_AUTHORIZED_WORKLOAD_H_
#define PLUMB_PLUGINS_HTTP_LOAD_AUTHORIZED_WORKLOAD_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "plugins/http_load/arrivals.h"
#include "plugins/http_load/authorization.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/workload.h"

namespace plumb::http_load {

class AuthorizedWorkload final : public Workload {
 public:
  using WallClock = std::function<int64_t()>;  // milliseconds since 1970

  // `plan` and `authorization` outlive the workload. Users of worker `worker` of `workers` have
  // numbers of their own.
  AuthorizedWorkload(std::unique_ptr<Workload> inner, const LoadPlan& plan,
                     const Authorization& authorization, Share share, WallClock wall_ms)
      : inner_(std::move(inner)),
        plan_(plan),
        authorization_(authorization),
        share_(share),
        wall_ms_(std::move(wall_ms)) {}

  Step begin(uint32_t user, bool fresh, uint64_t draw) override {
    return authorized(user, inner_->begin(user, fresh, draw));
  }
  Next completed(Completion& completion) override { return inner_->completed(completion); }
  Step next(uint32_t user) override { return authorized(user, inner_->next(user)); }

 private:
  struct User {
    Credential credential;
    Message message;  // borrowed until its completion
  };

  Step authorized(uint32_t user, Step step) {
    while (users_.size() <= user) users_.push_back(std::make_unique<User>());
    User& u = *users_[user];
    const Message& planned =
        step.message != nullptr ? *step.message : plan_.requests[step.endpoint];
    if (planned.has_header("authorization")) return step;
    authorization_.renew(uint64_t{user} * share_.of + share_.index, wall_ms_(), u.credential);
    u.message = planned;
    u.message.headers.emplace_back("Authorization", *u.credential.value);
    step.message = &u.message;
    return step;
  }

  std::unique_ptr<Workload> inner_;
  const LoadPlan& plan_;
  const Authorization& authorization_;
  const Share share_;
  const WallClock wall_ms_;
  std::vector<std::unique_ptr<User>> users_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_AUTHORIZED_WORKLOAD_H_
