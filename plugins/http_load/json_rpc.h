// JSON-RPC 2.0, the client's side: what goes out, and what an answer means. Batches are not needed.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_JSON_RPC_H_
#define PLUMB_PLUGINS_HTTP_LOAD_JSON_RPC_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/http_load/error_class.h"

namespace plumb::http_load {

// `params` is JSON text, or empty: left out. `method` is text, as in the plan.
std::string rpc_request(uint64_t id, std::string_view method, std::string_view params);
std::string rpc_notification(std::string_view method, std::string_view params);

// Text of the target's as part of one line of ours: control characters become spaces, and it ends
// after `most_bytes`, between two characters.
std::string one_line(std::string_view text, size_t most_bytes = 300);

// What an answer says.
struct RpcReply {
  ErrorClass error = ErrorClass::kNone;  // kNone: there is a result; kRpc; kProtocol
  int64_t code = 0;                      // of kRpc
  std::string detail = {};               // one sentence, unless kNone
  nlohmann::json result = {};
  bool ok() const { return error == ErrorClass::kNone; }
};

// A whole body as the answer to request `id`. Input is untrusted: what is nested more than 200
// levels deep is refused.
RpcReply read_rpc_reply(std::string_view body, uint64_t id);
// One message of a stream: empty for what is no answer to request `id`, such as a notification, a
// request of the server's or an answer to somebody else.
std::optional<RpcReply> read_rpc_message(std::string_view message, uint64_t id);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_JSON_RPC_H_
