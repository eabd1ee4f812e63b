// The load part of a plan as it reaches the plugin: JSON in, checked values out.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_LOAD_PLAN_H_
#define PLUMB_PLUGINS_HTTP_LOAD_LOAD_PLAN_H_

#include <cstdint>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plumb::http_load {

enum class Model { kOpen, kClosed };
enum class Protocol { kHttp1, kHttp2, kCurl };

// What goes out as one request, but for what every request of a connection has: host, user agent,
// length, trace ids, and the plan's token unless a header Authorization is there.
struct Message {
  std::string method = "GET";
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct Request : Message {
  std::string name;
  double weight = 1;
  std::vector<int> expect;  // statuses that count as success; empty: below 400
  int64_t timeout_ns = 0;   // resolved, never 0 in a parsed plan

  bool succeeds_with(int status) const;
};

struct LoadPlan {
  std::string run_id;
  std::string url;  // scheme://host[:port]
  Protocol protocol = Protocol::kHttp1;
  Model model = Model::kClosed;
  double rate = 0;        // open: requests per second
  bool poisson = false;   // open: with random gaps of that mean
  int64_t users = 0;      // closed
  double spawn_rate = 0;  // closed: users per second; 0: all at once
  int64_t think_ns = 0;
  int64_t timeout_ns = 0;
  int64_t connections = 0;  // the most at one time; resolved, never 0
  int64_t streams = 1;      // HTTP/2: the most requests at one time on a connection
  uint64_t seed = 1;
  std::string bearer;  // a secret: goes into the request and nowhere else
  std::vector<Request> requests;
};

// Reads the document of plumb_config. `option_connections` is the plugin's own option, 0 for none;
// the plan's load.connections goes before it. Errors name the key and never hold a secret.
Result<LoadPlan> parse_load_plan(std::string_view document, int64_t option_connections);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_LOAD_PLAN_H_
