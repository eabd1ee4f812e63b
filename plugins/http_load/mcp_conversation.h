// One request after the other to a server of MCP, each waited for: what happens before the load.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_MCP_CONVERSATION_H_
#define PLUMB_PLUGINS_HTTP_LOAD_MCP_CONVERSATION_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "plugins/http_load/clock.h"
#include "plugins/http_load/http1_transport.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/rpc_answer.h"
#include "plugins/http_load/transport.h"

namespace plumb::http_load {

// What became of one request.
struct McpAnswer {
  int status = 0;  // 0: the server could not be reached, or did not answer in time
  RpcReply reply = {};
  bool ok() const { return status >= 200 && status < 300 && reply.ok(); }
  // One sentence for what is not ok.
  std::string problem() const;
};

class McpConversation final : private CompletionHandler {
 public:
  // What is given outlives the conversation.
  static Result<std::unique_ptr<McpConversation>> open(const LoadPlan& plan, const Clock& clock,
                                                       const StopFlag& stop);

  // Returns when the answer is there, after the plan's timeout, or when stopped.
  McpAnswer ask(const McpDialect& dialect, const RpcCall& call);
  // Ends the session, if there is one, without regard to the answer.
  void end_session(const McpDialect& dialect);

  // As the last answer to initialize gave it; goes out with every later request.
  const std::string& session_id() const { return session_id_; }
  // Whether the server has left a stream open after the answer.
  bool leaves_streams_open() const { return leaves_streams_open_; }

 private:
  McpConversation(const LoadPlan& plan, const Clock& clock, const StopFlag& stop);
  void on_completion(Completion& completion) override;
  // Sends, and waits until the answer is complete; false when a stream was still open then.
  bool exchange(const Message& message);

  LoadPlan plan_;  // its one request is every request of the conversation
  const Clock& clock_;
  const StopFlag& stop_;
  std::unique_ptr<Http1Transport> transport_;
  RpcAnswer answer_;
  std::string session_id_;
  uint64_t next_id_ = 1;
  bool leaves_streams_open_ = false;
  bool completed_ = false;
  int status_ = 0;
  std::string trouble_;  // of the transport
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_MCP_CONVERSATION_H_
