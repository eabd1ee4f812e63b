// A request of the plan as the bytes that HTTP/1.1 sends, made once; only the trace ids change.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_HTTP1_REQUEST_H_
#define PLUMB_PLUGINS_HTTP_LOAD_HTTP1_REQUEST_H_

#include <string>
#include <string_view>

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/trace_ids.h"

namespace plumb::http_load {

class Http1Request {
 public:
  // `authority` is host[:port] as in the URL, for the Host header.
  Http1Request(const LoadPlan& plan, const Message& message, std::string_view authority);

  // The whole request with the next trace ids; valid until the next call. A request whose headers
  // have a traceparent of their own keeps it.
  std::string_view next(TraceIds& traces);
  // The answer to it has no body, whatever its headers say.
  bool is_head() const { return is_head_; }

 private:
  std::string bytes_;
  size_t trace_at_ = std::string::npos;  // where the ids are
  bool is_head_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_HTTP1_REQUEST_H_
