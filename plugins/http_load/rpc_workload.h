// The load of a plain JSON-RPC endpoint: an iteration is one call.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_RPC_WORKLOAD_H_
#define PLUMB_PLUGINS_HTTP_LOAD_RPC_WORKLOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/request_mix.h"
#include "plugins/http_load/rpc_answer.h"
#include "plugins/http_load/workload.h"

namespace plumb::http_load {

class RpcWorkload final : public Workload {
 public:
  // `plan` outlives the workload. The ids of different workers differ; `worker` counts from 0 and
  // is below 1,000.
  RpcWorkload(const LoadPlan& plan, uint32_t worker);

  Step begin(uint32_t user, bool fresh, uint64_t draw) override;
  Next completed(Completion& completion) override;
  Step next(uint32_t user) override;  // never announced

 private:
  struct User {
    Message message;
    RpcAnswer answer;
  };

  const LoadPlan& plan_;
  RequestMix mix_;
  uint64_t next_id_;
  std::vector<std::unique_ptr<User>> users_;  // what they hold is borrowed while they wait
  std::string detail_;
};

// The first id of a worker. Ids stay below 2^53, which every reader of JSON holds exactly.
constexpr uint64_t first_rpc_id(uint32_t worker) { return (uint64_t{worker} << 43) + 1; }

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_RPC_WORKLOAD_H_
