// The load part of a plan as it reaches the plugin: JSON in, checked values out.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_LOAD_PLAN_H_
#define PLUMB_PLUGINS_HTTP_LOAD_LOAD_PLAN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/http_load/mcp_plan.h"
#include "plugins/http_load/scenario_plan.h"

namespace plumb::http_load {

enum class Model { kOpen, kClosed };
// kJsonRpc and kMcp go over HTTP/1.1.
enum class Protocol { kHttp1, kHttp2, kCurl, kJsonRpc, kMcp };

// What goes out as one request, but for what every request of a connection has: host, user agent,
// length, trace ids, and the plan's token unless a header Authorization is there.
struct Message {
  std::string method = "GET";
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // Whatever the case of its letters.
  bool has_header(std::string_view header) const;
};

struct Request : Message {
  std::string name;
  double weight = 1;        // 0: only as a step of a scenario
  std::vector<int> expect;  // statuses that count as success; empty: below 400
  int64_t timeout_ns = 0;   // resolved, never 0 in a parsed plan

  bool succeeds_with(int status) const;
};

// Of the plan's own stages, in step with the spans that drive() gets. Levels are requests per
// second or users.
struct LoadStage {
  Model model = Model::kClosed;
  double from = 0;
  double to = 0;
};

// What ends a load before its time, judged over its last seconds.
struct AbortLimits {
  std::optional<double> error_rate = {};  // more of what was answered failed
  std::optional<int64_t> p99_ns = {};     // of all responses
  std::optional<double> rate = {};        // less of what was due was answered
  int64_t over_ns = 10'000'000'000;
  bool any() const { return error_rate || p99_ns || rate; }
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
  int64_t pacing_ns = 0;
  std::vector<LoadStage> stages;  // empty: the one level of rate or users
  // Recorded arrivals, since the first one; empty: none.
  std::shared_ptr<const std::vector<int64_t>> replay_ns;
  double replay_speed = 1;
  int64_t workers = 1;
  AbortLimits abort;
  int64_t timeout_ns = 0;
  int64_t connections = 0;  // the most at one time; resolved, never 0
  int64_t streams = 1;      // HTTP/2: the most requests at one time on a connection
  uint64_t seed = 1;
  std::string log;  // where every request is logged, or empty
  // What every request sends as Authorization unless it has its own; a secret: goes into the
  // request and nowhere else.
  std::string authorization;
  std::vector<Request> requests;
  ScenarioPlan scenario;
  RpcPlan rpc;  // of the protocols that speak JSON-RPC

  // Whether any part of the load follows this model.
  bool has(Model which) const;
  bool speaks_rpc() const { return protocol == Protocol::kJsonRpc || protocol == Protocol::kMcp; }
  // The most users of the closed model at one time.
  int64_t most_users() const;
};

// Reads the document of plumb_config. `option_connections` is the plugin's own option, 0 for none;
// the plan's load.connections goes before it. Errors name the key and never hold a secret.
Result<LoadPlan> parse_load_plan(std::string_view document, int64_t option_connections);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_LOAD_PLAN_H_
