// The load of a server of MCP: an iteration is one operation, a tool's call say. Where the server
// wants to be greeted, a user's first iteration begins with initialize and
// notifications/initialized, and all later ones go on with that session.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_MCP_WORKLOAD_H_
#define PLUMB_PLUGINS_HTTP_LOAD_MCP_WORKLOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/request_mix.h"
#include "plugins/http_load/rpc_answer.h"
#include "plugins/http_load/workload.h"

namespace plumb::http_load {

class McpWorkload final : public Workload {
 public:
  // `plan` has been through discover_mcp() and outlives the workload. The ids of different workers
  // differ; `worker` counts from 0 and is below 1,000.
  McpWorkload(const LoadPlan& plan, uint32_t worker);

  // A session outlasts the user who began it, as a kept connection does: it belongs to the number.
  // It ends when the server answers 404; the next iteration begins another.
  Step begin(uint32_t user, bool fresh, uint64_t draw) override;
  Next completed(Completion& completion) override;
  Step next(uint32_t user) override;

 private:
  enum class Stage : uint8_t { kInitialize, kInitialized, kOperation };
  struct User {
    Stage stage = Stage::kInitialize;  // of the request that is next, or on its way
    std::string session_id;
    uint64_t draw = 0;
    Message message;
    RpcAnswer answer;
  };

  uint32_t endpoint_of_stage(const User& user) const;
  void judge(User& user, Completion& completion);
  void fail(Completion& completion, ErrorClass error, std::string detail);

  const LoadPlan& plan_;
  std::vector<uint32_t> operations_;  // the endpoints that the mix is of
  RequestMix mix_;
  uint32_t initialize_;  // endpoints
  uint32_t initialized_;
  bool cuts_streams_;
  uint64_t next_id_;
  std::vector<std::unique_ptr<User>> users_;  // what they hold is borrowed while they wait
  std::string detail_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_MCP_WORKLOAD_H_
