#include "plugins/http_load/rpc_workload.h"

namespace plumb::http_load {
namespace {

std::vector<double> weights_of_calls(const LoadPlan& plan) {
  std::vector<double> out;
  for (const Request& request : plan.requests) out.push_back(request.weight);
  return out;
}

}  // namespace

RpcWorkload::RpcWorkload(const LoadPlan& plan, uint32_t worker)
    : plan_(plan), mix_(weights_of_calls(plan)), next_id_(first_rpc_id(worker)) {}

Step RpcWorkload::begin(uint32_t user, bool, uint64_t draw) {
  while (users_.size() <= user) users_.push_back(std::make_unique<User>());
  User& u = *users_[user];
  const uint32_t endpoint = mix_.pick(draw);
  const RpcCall& call = plan_.rpc.calls[endpoint];
  const uint64_t id = next_id_++;
  u.message = plan_.requests[endpoint];
  u.message.body = rpc_request(id, call.method, call.params);
  u.answer.expect(id, false);
  return {endpoint, &u.message, &u.answer};
}

Next RpcWorkload::completed(Completion& completion) {
  settle(users_[completion.user]->answer, plan_.requests[completion.endpoint], completion, detail_);
  return {};
}

Step RpcWorkload::next(uint32_t) { return {}; }

}  // namespace plumb::http_load
