#include "plugins/http_load/rpc_workload.h"

namespace plumb::http_load {

RpcWorkload::RpcWorkload(const LoadPlan& plan, uint32_t worker)
    : plan_(plan), next_id_(first_rpc_id(worker)) {
  for (const Request& request : plan.requests) mix_.add(request.weight);
}

Step RpcWorkload::begin(uint32_t user, bool, uint64_t draw) {
  while (users_.size() <= user) users_.push_back(std::make_unique<User>());
  User& u = *users_[user];
  const size_t endpoint = mix_.pick(draw);
  const RpcCall& call = plan_.rpc.calls[endpoint];
  const uint64_t id = next_id_++;
  u.message = plan_.requests[endpoint];
  u.message.body = rpc_request(id, call.method, call.params);
  u.answer.expect(id, false);
  return {static_cast<uint32_t>(endpoint), &u.message, &u.answer};
}

Next RpcWorkload::completed(Completion& completion) {
  settle(users_[completion.user]->answer, plan_.requests[completion.endpoint], completion, detail_);
  return {};
}

Step RpcWorkload::next(uint32_t) { return {}; }

}  // namespace plumb::http_load
