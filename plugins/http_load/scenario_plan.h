// What a plan says beyond single requests: sequences, values that answers and files give, checks,
// cookies, redirects and credentials. Part of LoadPlan.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_PLAN_H_
#define PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_PLAN_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <plumb/status.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace plumb::http_load {

// load.requests[].extract: a value of the answer, under a name.
struct ExtractPlan {
  enum class From : uint8_t { kJson, kHeader, kRegex };
  std::string name;
  From from = From::kJson;
  std::string what;  // a JSON pointer, the name of a header, a pattern
};

// load.requests[].checks
struct ChecksPlan {
  std::vector<std::string> contains;
  std::vector<std::string> matches;
  std::vector<std::pair<std::string, std::string>> json;     // pointer and value, as JSON text
  std::vector<std::pair<std::string, std::string>> headers;  // name and text in its value
  int64_t under_ns = 0;                                      // 0: any time
};

// What the plan says of one request beside what is sent.
struct RequestContent {
  int64_t think_ns = 0;  // pause after it within a sequence
  int64_t redirects = 0;
  bool json_body = false;  // the body was written as `json:`
  std::vector<ExtractPlan> extract;
  ChecksPlan checks;
};

struct SequencePlan {
  std::string name;
  double weight = 1;
  std::vector<uint32_t> steps;  // indexes into the plan's requests
};

struct FeederPlan {
  enum class Kind : uint8_t { kFile, kCounter, kRandom };
  enum class Order : uint8_t { kSequential, kRandom, kOnce };
  std::string name = {};
  Kind kind = Kind::kFile;
  std::string file = {};
  Order order = Order::kSequential;
  int64_t from = 1;
  int64_t step = 1;
  int64_t to = 0;
};

// load.auth. Holds secrets: they go into requests and nowhere else.
struct AuthPlan {
  enum class Type : uint8_t { kNone, kBearer, kBasic, kOauth2, kJwt };
  Type type = Type::kNone;
  std::string token;  // bearer
  std::string user;   // basic
  std::string password;
  std::string token_url;  // oauth2
  std::string client_id;
  std::string client_secret;
  std::string refresh_token;  // not empty: that grant
  std::string scope;
  std::string audience;
  std::string secret;         // jwt
  std::string claims = "{}";  // a JSON object; its texts may hold {{user}}
  int64_t ttl_ns = 0;

  // Whether the header changes during a run.
  bool is_dynamic() const { return type == Type::kOauth2 || type == Type::kJwt; }
};

struct ScenarioPlan {
  std::vector<RequestContent> requests;  // beside the plan's
  std::vector<SequencePlan> sequences;
  std::vector<FeederPlan> feeders;
  AuthPlan auth;
  bool cookies = false;
  // Something here, or a placeholder, asks for a ScenarioWorkload.
  bool needed = false;
};

// `load` is the load part of plumb_config's document, `names` those of its requests, in order. May
// throw json::exception. Errors never hold a secret.
Result<ScenarioPlan> parse_scenario_plan(const nlohmann::json& load,
                                         std::span<const std::string> names);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_PLAN_H_
