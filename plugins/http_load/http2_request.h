// A request of the plan as the header fields that HTTP/2 sends, made once; only the trace ids
// change.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_HTTP2_REQUEST_H_
#define PLUMB_PLUGINS_HTTP_LOAD_HTTP2_REQUEST_H_

#include <nghttp2/nghttp2.h>

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/http_load/addresses.h"
#include "plugins/http_load/load_plan.h"

namespace plumb::http_load {

class Http2Request {
 public:
  // `message` outlives the request.
  Http2Request(const LoadPlan& plan, const Message& message, const Origin& origin);
  Http2Request(const Http2Request&) = delete;
  Http2Request& operator=(const Http2Request&) = delete;

  // Pseudo-header fields first, names in lower case, nothing of what only HTTP/1.1 has. Valid until
  // the next call; `ids` (TraceIds::kIdsSize characters, left out when the message has a
  // traceparent of its own) is pointed to, not copied. With `is_first` the peer is to keep the
  // field, so that the later ones of the connection can refer to its name.
  std::span<const nghttp2_nv> fields(const char* ids, bool is_first);
  bool wants_ids() const { return wants_ids_; }
  std::string_view body() const { return body_; }

 private:
  void add(std::string_view name, std::string_view value);

  std::deque<std::string> texts_;  // what the fields point to
  std::vector<nghttp2_nv> fields_;
  std::string_view body_;
  bool wants_ids_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_HTTP2_REQUEST_H_
