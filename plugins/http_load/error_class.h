// The classes that a request without an answer falls into, and how libcurl's codes map to them.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_ERROR_CLASS_H_
#define PLUMB_PLUGINS_HTTP_LOAD_ERROR_CLASS_H_

#include <curl/curl.h>

#include <cstdint>
#include <string_view>

#include "plugins/http_load/timeline.h"

namespace plumb::http_load {

enum class ErrorClass : uint8_t {
  kNone,
  kRefused,
  kReset,           // the peer cut the connection before the answer was complete
  kTimeoutConnect,  // by the phase that the timeout ended
  kTimeoutTls,
  kTimeoutSend,
  kTimeoutWait,
  kTimeoutTransfer,
  kDns,
  kTls,
  kNoLocalPort,
  kDescriptors,
  kProtocol,  // what came back is not HTTP
  kCheck,     // the answer came and is not what the plan expects of it
  kExtract,   // ... or lacks what later requests need
  kRpc,       // a JSON-RPC error, inside HTTP 200
  kTool,      // an MCP tool that says it failed, inside a JSON-RPC result
  kOther,
};

// As in the label `error`; empty for kNone.
std::string_view error_class_name(ErrorClass error);
// What an errno of connect(), send() or recv() means.
ErrorClass classify_errno(int os_errno);
// `os_errno` is 0 when unknown. A timeout of libcurl's counts as one of connecting: the transport
// knows better.
ErrorClass classify(CURLcode code, int os_errno);

// What a request was doing when its timeout ended it.
struct TimeoutPhase {
  ErrorClass error;
  std::string_view during;  // "while connecting"
};
TimeoutPhase timeout_phase(const Timeline& times);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_ERROR_CLASS_H_
