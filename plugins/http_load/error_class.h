// The classes that a request without an answer falls into, and how libcurl's codes map to them.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_ERROR_CLASS_H_
#define PLUMB_PLUGINS_HTTP_LOAD_ERROR_CLASS_H_

#include <curl/curl.h>

#include <cstdint>
#include <string_view>

namespace plumb::http_load {

enum class ErrorClass : uint8_t {
  kNone,
  kRefused,
  kReset,  // the peer cut the connection before the answer was complete
  kTimeout,
  kDns,
  kTls,
  kNoLocalPort,
  kDescriptors,
  kProtocol,  // what came back is not HTTP
  kOther,
};

// As in the label `error`; empty for kNone.
std::string_view error_class_name(ErrorClass error);
// `os_errno` is 0 when unknown.
ErrorClass classify(CURLcode code, int os_errno);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_ERROR_CLASS_H_
