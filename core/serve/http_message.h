// A request and a response in the daemon's own types, so that only the HTTP server itself knows
// Boost.Beast.
#ifndef PLUMB_CORE_SERVE_HTTP_MESSAGE_H_
#define PLUMB_CORE_SERVE_HTTP_MESSAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/serve/event_log.h"

namespace plumb::serve {

struct RequestHead {
  std::string method;  // "GET"
  std::string target;  // as sent
  // Names in lower case, in the order in which they came.
  std::vector<std::pair<std::string, std::string>> headers;
  uint16_t local_port = 0;  // the port it came in at

  // The target up to the question mark, as sent: nothing in it is decoded.
  std::string_view path() const;
  // The first value of that name in the query, decoded; nullopt when there is none.
  std::optional<std::string> query(std::string_view name) const;
  // The first header of that name (lower case), or nullptr.
  const std::string* header(std::string_view name) const;
  size_t header_count(std::string_view name) const;
};

struct Request {
  RequestHead head;
  std::string body;
};

struct Response {
  int status = 200;
  std::string content_type = {};  // empty: no body
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // When set, the body is this log's events after `events_after`, as they come, and ends with the
  // log. Shared, since the log's run and every reader of it end in no fixed order.
  std::shared_ptr<EventLog> events = {};
  uint64_t events_after = 0;
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_HTTP_MESSAGE_H_
