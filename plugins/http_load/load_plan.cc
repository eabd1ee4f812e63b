#include "plugins/http_load/load_plan.h"

#include <strings.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/http_load/encoding.h"
#include "plugins/http_load/template.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr int64_t kDefaultInFlight = 512;  // in the open model
constexpr int64_t kDefaultStreams = 100;
constexpr int64_t kMostStreams = 100'000;
constexpr int64_t kMostConnections = 100'000;
constexpr int64_t kDefaultTimeoutNs = 10'000'000'000;
constexpr double kHighestRate = 1e6;
constexpr int64_t kMostWorkers = 64;
// How many endpoints keep histograms; each costs about a mebibyte.
constexpr size_t kMostRequests = 200;
constexpr std::pair<std::string_view, Protocol> kProtocols[] = {
    {"auto", Protocol::kHttp1}, {"http1", Protocol::kHttp1},     {"http2", Protocol::kHttp2},
    {"curl", Protocol::kCurl},  {"jsonrpc", Protocol::kJsonRpc}, {"mcp", Protocol::kMcp}};

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

Status bad(const std::string& where, const std::string& what) {
  return Status::invalid_argument(where + " " + what);
}

Status check_url(const std::string& url) {
  const bool http = url.starts_with("http://") || url.starts_with("https://");
  if (!http) return bad("target.url", "must begin with http:// or https://");
  const std::string_view authority = std::string_view(url).substr(url.find("://") + 3);
  if (authority.empty()) return bad("target.url", "names no host");
  if (authority.find('@') != std::string_view::npos)
    return bad("target.url", "must not hold a user or password: use load.bearer or a header");
  if (authority.find_first_of("/?# ") != std::string_view::npos || has_control(authority))
    return bad("target.url", "must be scheme://host[:port] without a path");
  return Status::ok();
}

Result<Request> read_request(const json& in, const std::string& where) {
  if (!in.is_object()) return bad(where, "must be an object");
  Request r;
  r.method = in.value("method", "GET");
  r.path = in.value("path", "/");
  r.name = in.value("name", r.path);
  r.weight = in.value("weight", 1.0);
  r.body = in.value("body", "");
  r.timeout_ns = in.value("timeout", int64_t{0});
  if (!is_token(r.method)) return bad(where + ".method", "is no HTTP method");
  if (r.name.empty()) return bad(where + ".name", "is empty");
  const std::string path = without_placeholders(r.path);
  const bool begins = path.starts_with('/') || r.path.starts_with("{{");
  if (!begins || has_control(path) || path.find(' ') != std::string::npos)
    return bad(where + ".path", "must begin with / and hold no spaces: write %20");
  if (!std::isfinite(r.weight) || r.weight < 0)
    return bad(where + ".weight", "must not be negative");
  for (const json& header : in.value("headers", json::array())) {
    if (!header.is_array() || header.size() != 2)
      return bad(where + ".headers", "must be pairs of name and value");
    auto& [name, value] =
        r.headers.emplace_back(header[0].get<std::string>(), header[1].get<std::string>());
    if (!is_token(name)) return bad(where + ".headers", "holds a name that HTTP does not allow");
    if (has_control(value))
      return bad(where + ".headers." + name, "holds a control character, such as a line break");
  }
  for (const json& status : in.value("expect", json::array())) {
    r.expect.push_back(status.get<int>());
    if (r.expect.back() < 100 || r.expect.back() > 599)
      return bad(where + ".expect", "must list statuses from 100 to 599");
  }
  return r;
}

// Seconds at the beginning of each line; what is no number is read over. The core has checked it.
Result<std::shared_ptr<const std::vector<int64_t>>> read_replay(const std::string& file) {
  std::ifstream in(file);
  if (!in) return Status::not_found("load.replay: cannot read " + file);
  auto out = std::make_shared<std::vector<int64_t>>();
  std::optional<double> first;
  for (std::string line; std::getline(in, line);) {
    char* end = nullptr;
    const double seconds = std::strtod(line.c_str(), &end);
    if (end == line.c_str() || !std::isfinite(seconds)) continue;
    if (!first) first = seconds;
    out->push_back(static_cast<int64_t>((seconds - *first) * 1e9));
  }
  if (out->empty()) return Status::invalid_argument("load.replay: " + file + " holds no arrival");
  if (!std::is_sorted(out->begin(), out->end()))
    return Status::invalid_argument("load.replay: " + file + " goes back in time");
  return std::shared_ptr<const std::vector<int64_t>>(std::move(out));
}

Status read_stages(const json& stages, LoadPlan& plan) {
  for (const json& stage : stages) {
    const bool open = stage.at("model") == "open";
    plan.stages.push_back({open ? Model::kOpen : Model::kClosed, stage.at("from").get<double>(),
                           stage.at("to").get<double>()});
    const LoadStage& last = plan.stages.back();
    for (const double level : {last.from, last.to})
      if (!std::isfinite(level) || level < 0 ||
          level > (open ? kHighestRate : static_cast<double>(kMostConnections)))
        return bad("load.stages", "hold a level that is out of range");
  }
  return Status::ok();
}

AbortLimits read_abort(const json& in) {
  AbortLimits out;
  if (in.contains("error_rate")) out.error_rate = in["error_rate"].get<double>();
  if (in.contains("p99")) out.p99_ns = in["p99"].get<int64_t>();
  if (in.contains("rate")) out.rate = in["rate"].get<double>();
  out.over_ns = in.value("over", out.over_ns);
  return out;
}

Status check_model(const LoadPlan& plan) {
  if (plan.workers < 1 || plan.workers > kMostWorkers)
    return bad("load.workers", "must be 1 to 64");
  if (plan.pacing_ns < 0) return bad("load.pacing", "must not be negative");
  if (!std::isfinite(plan.replay_speed) || plan.replay_speed <= 0)
    return bad("load.replay_speed", "must be above zero");
  if (!plan.stages.empty() || plan.replay_ns != nullptr) {
    // Their levels have been checked.
  } else if (plan.model == Model::kOpen) {
    if (!std::isfinite(plan.rate) || plan.rate <= 0 || plan.rate > kHighestRate)
      return bad("load.rate", "must be above zero and at most 1000000/s");
  } else {
    if (plan.users < 1 || plan.users > kMostConnections)
      return bad("load.users", "must be 1 to 100000");
    if (!std::isfinite(plan.spawn_rate) || plan.spawn_rate < 0)
      return bad("load.spawn_rate", "must not be negative");
    if (plan.think_ns < 0) return bad("load.think", "must not be negative");
  }
  if (plan.timeout_ns <= 0) return bad("load.timeout", "must be above zero");
  if (plan.connections < 1 || plan.connections > kMostConnections)
    return bad("load.connections", "must be 1 to 100000");
  if (has_control(plan.authorization))
    return bad(plan.scenario.auth.type == AuthPlan::Type::kNone ? "load.bearer" : "load.auth",
               "holds a control character");
  // MCP finds out what there is to request.
  if (plan.requests.empty() && plan.protocol != Protocol::kMcp)
    return bad("load.requests", "is empty: name at least one request");
  if (plan.requests.size() > kMostRequests)
    return bad("load.requests", "holds more than 200 requests: group them");
  return Status::ok();
}

// A request of weight 0 is there for a scenario's sake.
Status check_weights(const LoadPlan& plan) {
  for (uint32_t i = 0; i < plan.requests.size(); ++i) {
    const bool is_step = std::any_of(
        plan.scenario.sequences.begin(), plan.scenario.sequences.end(), [i](const auto& sequence) {
          return std::find(sequence.steps.begin(), sequence.steps.end(), i) != sequence.steps.end();
        });
    if (plan.requests[i].weight == 0 && !is_step)
      return bad("load.requests[" + std::to_string(i) + "].weight", "must be above zero");
  }
  return Status::ok();
}

// Credentials that stay the same go into the requests, which are prebuilt.
Status apply_static_auth(LoadPlan& plan) {
  const AuthPlan& auth = plan.scenario.auth;
  if (auth.type == AuthPlan::Type::kNone) return Status::ok();
  if (!plan.authorization.empty()) return bad("load.auth", "and load.bearer are both given");
  if (auth.type == AuthPlan::Type::kBearer) plan.authorization = "Bearer " + auth.token;
  if (auth.type == AuthPlan::Type::kBasic) {
    plan.authorization = "Basic ";
    append_base64(auth.user + ":" + auth.password, plan.authorization);
  }
  return Status::ok();
}

Status check_names(const LoadPlan& plan) {
  for (size_t i = 0; i < plan.requests.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (plan.requests[i].name == plan.requests[j].name)
        return bad("load.requests", "holds two requests named " + plan.requests[i].name);
  return Status::ok();
}

Result<LoadPlan> read_document(std::string_view document, int64_t option_connections) {
  const json doc = json::parse(document);
  const json target = doc.value("target", json::object());
  const json load = doc.value("load", json::object());
  LoadPlan plan;
  plan.run_id = doc.value("run", json::object()).value("id", "");
  plan.url = target.value("url", "");
  if (plan.url.ends_with('/')) plan.url.pop_back();
  PLUMB_RETURN_IF_ERROR(check_url(plan.url));

  const std::string model = load.value("model", "closed");
  if (model != "open" && model != "closed") return bad("load.model", "must be open or closed");
  plan.model = model == "open" ? Model::kOpen : Model::kClosed;
  const std::string protocol = load.value("protocol", "auto");
  const auto known = std::find_if(std::begin(kProtocols), std::end(kProtocols),
                                  [&](const auto& one) { return one.first == protocol; });
  if (known == std::end(kProtocols))
    return bad("load.protocol", "must be auto, http1, http2, curl, jsonrpc or mcp");
  plan.protocol = known->second;
  plan.rate = load.value("rate", 0.0);
  const std::string arrivals = load.value("arrivals", "constant");
  if (arrivals != "constant" && arrivals != "poisson")
    return bad("load.arrivals", "must be constant or poisson");
  plan.poisson = arrivals == "poisson";
  plan.users = load.value("users", int64_t{0});
  plan.spawn_rate = load.value("spawn_rate", 0.0);
  plan.think_ns = load.value("think_ns", int64_t{0});
  plan.pacing_ns = load.value("pacing_ns", int64_t{0});
  plan.workers = load.value("workers", int64_t{1});
  plan.replay_speed = load.value("replay_speed", 1.0);
  plan.abort = read_abort(load.value("abort", json::object()));
  PLUMB_RETURN_IF_ERROR(read_stages(load.value("stages", json::array()), plan));
  if (const std::string replay = load.value("replay", ""); !replay.empty()) {
    PLUMB_ASSIGN_OR_RETURN(plan.replay_ns, read_replay(replay));
  }
  plan.timeout_ns = load.value("timeout_ns", kDefaultTimeoutNs);
  plan.seed = load.value("seed", uint64_t{1});
  if (const std::string bearer = load.value("bearer", ""); !bearer.empty())
    plan.authorization = "Bearer " + bearer;
  plan.log = load.value("log", "");
  plan.connections = load.value("connections", int64_t{0});
  const int64_t streams = load.value("streams", kDefaultStreams);
  if (streams < 1 || streams > kMostStreams) return bad("load.streams", "must be 1 to 100000");
  plan.streams = plan.protocol == Protocol::kHttp2 ? streams : 1;
  if (plan.connections == 0) plan.connections = option_connections;
  // As few as carry the load: HTTP/2 has one connection for what HTTP/1.1 has many for. In the open
  // model the same number of requests can be in flight with either.
  if (plan.connections == 0) {
    const int64_t most = (plan.has(Model::kOpen) ? kDefaultInFlight : 0) + plan.most_users();
    plan.connections = most / plan.streams + (most % plan.streams != 0 ? 1 : 0);
  }
  // More than one connection a user would never be used.
  if (!plan.has(Model::kOpen)) plan.connections = std::min(plan.connections, plan.most_users());

  const json requests = load.value("requests", json::array());
  for (size_t i = 0; i < requests.size(); ++i) {
    auto request = read_request(requests[i], "load.requests[" + std::to_string(i) + "]");
    if (!request.is_ok()) return request.status();
    if (request->timeout_ns == 0) request->timeout_ns = plan.timeout_ns;
    plan.requests.push_back(std::move(request).value());
  }
  PLUMB_RETURN_IF_ERROR(read_rpc_plan(load, plan));
  std::vector<std::string> names;
  for (const Request& request : plan.requests) names.push_back(request.name);
  PLUMB_ASSIGN_OR_RETURN(plan.scenario, parse_scenario_plan(load, names));
  PLUMB_RETURN_IF_ERROR(check_weights(plan));
  PLUMB_RETURN_IF_ERROR(apply_static_auth(plan));
  PLUMB_RETURN_IF_ERROR(check_names(plan));
  PLUMB_RETURN_IF_ERROR(check_model(plan));
  return plan;
}

}  // namespace

bool Message::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(), [name](const auto& header) {
    return header.first.size() == name.size() &&
           strncasecmp(header.first.data(), name.data(), name.size()) == 0;
  });
}

bool LoadPlan::has(Model which) const {
  if (stages.empty()) return model == which;
  return std::any_of(stages.begin(), stages.end(),
                     [which](const LoadStage& stage) { return stage.model == which; });
}

int64_t LoadPlan::most_users() const {
  if (stages.empty()) return model == Model::kClosed ? users : 0;
  double most = 0;
  for (const LoadStage& stage : stages)
    if (stage.model == Model::kClosed) most = std::max({most, stage.from, stage.to});
  return static_cast<int64_t>(std::ceil(most));
}

bool Request::succeeds_with(int status) const {
  if (expect.empty()) return status < 400;
  return std::find(expect.begin(), expect.end(), status) != expect.end();
}

Result<LoadPlan> parse_load_plan(std::string_view document, int64_t option_connections) {
  try {
    return read_document(document, option_connections);
  } catch (const json::type_error&) {
    // Its text may quote values, and a value may be a secret.
    return Status::invalid_argument("the load part of the plan holds a value of the wrong type");
  } catch (const json::exception&) {
    return Status::invalid_argument("the plan's document is no valid JSON object");
  }
}

}  // namespace plumb::http_load
