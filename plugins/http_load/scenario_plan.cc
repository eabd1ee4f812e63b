#include "plugins/http_load/scenario_plan.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "plugins/http_load/encoding.h"
#include "plugins/http_load/nearest_name.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;

constexpr int64_t kMostRedirects = 20;
constexpr size_t kMostSequences = 200;
constexpr size_t kMostSteps = 1'000;
constexpr size_t kMostFeeders = 100;

Status refused(const std::string& where, const std::string& what) {
  return Status::invalid_argument(where + " " + what);
}

// One text, or a list of them.
std::vector<std::string> texts_of(const json& section, const char* key) {
  const auto found = section.find(key);
  if (found == section.end()) return {};
  if (found->is_string()) return {found->get<std::string>()};
  return found->get<std::vector<std::string>>();
}

Result<ExtractPlan> read_extract(const std::string& name, const std::string& rule,
                                 const std::string& where) {
  ExtractPlan out;
  out.name = name;
  const size_t colon = rule.find(':');
  const std::string kind = rule.substr(0, colon);
  out.what = colon == std::string::npos ? "" : rule.substr(colon + 1);
  if (kind == "json" && colon != std::string::npos) {
    out.from = ExtractPlan::From::kJson;
  } else if (kind == "header" && !out.what.empty()) {
    out.from = ExtractPlan::From::kHeader;
  } else if (kind == "regex" && !out.what.empty()) {
    out.from = ExtractPlan::From::kRegex;
  } else {
    return refused(where, "must be json:/pointer, header:Name or regex:pattern");
  }
  return out;
}

ChecksPlan read_checks(const json& in) {
  ChecksPlan out;
  out.contains = texts_of(in, "contains");
  out.matches = texts_of(in, "matches");
  const json values = in.value("json", json::object());
  for (const auto& [pointer, value] : values.items())
    out.json.emplace_back(pointer, value.dump(-1, ' ', false, json::error_handler_t::replace));
  const json headers = in.value("header", json::object());
  for (const auto& [name, value] : headers.items())
    out.headers.emplace_back(name, value.get<std::string>());
  out.under_ns = in.value("under", int64_t{0});
  return out;
}

Result<RequestContent> read_content(const json& in, const std::string& where) {
  RequestContent out;
  out.think_ns = in.value("think", int64_t{0});
  out.redirects = in.value("redirects", int64_t{0});
  out.json_body = in.value("json_body", false);
  if (out.think_ns < 0) return refused(where + ".think", "must not be negative");
  if (out.redirects < 0 || out.redirects > kMostRedirects)
    return refused(where + ".redirects", "must be 0 to 20");
  const json extracts = in.value("extract", json::object());
  for (const auto& [name, rule] : extracts.items()) {
    PLUMB_ASSIGN_OR_RETURN(auto extract,
                           read_extract(name, rule.get<std::string>(), where + ".extract." + name));
    out.extract.push_back(std::move(extract));
  }
  out.checks = read_checks(in.value("checks", json::object()));
  return out;
}

Result<SequencePlan> read_sequence(const json& in, std::span<const std::string> names,
                                   const std::string& where) {
  SequencePlan out;
  out.name = in.value("name", "");
  out.weight = in.value("weight", 1.0);
  if (!std::isfinite(out.weight) || out.weight <= 0)
    return refused(where + ".weight", "must be above zero");
  for (const std::string& step : texts_of(in, "steps")) {
    const auto at = std::find(names.begin(), names.end(), step);
    if (at == names.end())
      return refused(where + ".steps",
                     "names no request '" + printable(step, 60) + "'." + name_hint(step, names));
    out.steps.push_back(static_cast<uint32_t>(at - names.begin()));
  }
  if (out.steps.empty()) return refused(where + ".steps", "is empty");
  if (out.steps.size() > kMostSteps) return refused(where + ".steps", "holds more than 1000 steps");
  return out;
}

Result<FeederPlan> read_feeder(const json& in, const std::string& where) {
  FeederPlan out;
  out.name = in.value("name", "");
  if (out.name.empty()) return refused(where + ".name", "is missing");
  if (in.contains("file") + in.contains("counter") + in.contains("random") != 1)
    return refused(where, "needs one of file, counter and random");
  const std::string order = in.value("order", "sequential");
  if (order != "sequential" && order != "random" && order != "once")
    return refused(where + ".order", "must be sequential, random or once");
  out.order = order == "random" ? FeederPlan::Order::kRandom
              : order == "once" ? FeederPlan::Order::kOnce
                                : FeederPlan::Order::kSequential;
  out.file = in.value("file", "");
  if (in.contains("counter")) {
    out.kind = FeederPlan::Kind::kCounter;
    out.from = in["counter"].value("from", int64_t{1});
    out.step = in["counter"].value("step", int64_t{1});
  }
  if (in.contains("random")) {
    out.kind = FeederPlan::Kind::kRandom;
    out.from = in["random"].value("from", int64_t{0});
    out.to = in["random"].value("to", int64_t{0});
    if (out.from > out.to) return refused(where + ".random", "must have from below to");
  }
  return out;
}

Status check_auth(const AuthPlan& auth) {
  using Type = AuthPlan::Type;
  const auto missing = [](const char* key) {
    return refused(std::string("load.auth.") + key, "is missing");
  };
  if (auth.type == Type::kBearer && auth.token.empty()) return missing("token");
  if (auth.type == Type::kBasic && auth.user.empty()) return missing("user");
  if (auth.user.find(':') != std::string::npos)
    return refused("load.auth.user", "must hold no colon");
  if (auth.type == Type::kOauth2 && auth.client_id.empty()) return missing("client_id");
  if (auth.type == Type::kOauth2 && auth.client_secret.empty() && auth.refresh_token.empty())
    return missing("client_secret");
  if (auth.type == Type::kOauth2 && !auth.token_url.starts_with("http://") &&
      !auth.token_url.starts_with("https://"))
    return refused("load.auth.token_url", "must begin with http:// or https://");
  if (auth.type == Type::kJwt && auth.secret.empty()) return missing("secret");
  if (auth.type == Type::kJwt && auth.ttl_ns <= 0) return missing("ttl");
  for (const std::string* text : {&auth.token, &auth.user, &auth.password, &auth.token_url})
    if (has_control_character(*text)) return refused("load.auth", "holds a control character");
  return Status::ok();
}

Result<AuthPlan> read_auth(const json& in) {
  AuthPlan out;
  const std::string type = in.value("type", "");
  if (type == "bearer") {
    out.type = AuthPlan::Type::kBearer;
  } else if (type == "basic") {
    out.type = AuthPlan::Type::kBasic;
  } else if (type == "oauth2") {
    out.type = AuthPlan::Type::kOauth2;
  } else if (type == "jwt") {
    out.type = AuthPlan::Type::kJwt;
  } else {
    return refused("load.auth.type", "must be bearer, basic, oauth2 or jwt");
  }
  out.token = in.value("token", "");
  out.user = in.value("user", "");
  out.password = in.value("password", "");
  out.token_url = in.value("token_url", "");
  out.client_id = in.value("client_id", "");
  out.client_secret = in.value("client_secret", "");
  out.refresh_token = in.value("refresh_token", "");
  out.scope = in.value("scope", "");
  out.audience = in.value("audience", "");
  out.secret = in.value("secret", "");
  const json claims = in.value("claims", json::object());
  if (!claims.is_object()) return refused("load.auth.claims", "must be an object");
  out.claims = claims.dump(-1, ' ', false, json::error_handler_t::replace);
  out.ttl_ns = in.value("ttl", int64_t{600'000'000'000});
  PLUMB_RETURN_IF_ERROR(check_auth(out));
  return out;
}

bool has_placeholder(const json& request) {
  const auto holds = [](const json& text) {
    return text.is_string() && text.get_ref<const std::string&>().find("{{") != std::string::npos;
  };
  if (holds(request.value("path", json())) || holds(request.value("body", json()))) return true;
  const json headers = request.value("headers", json::array());
  return std::any_of(headers.begin(), headers.end(), [&](const json& header) {
    return header.is_array() && header.size() == 2 && holds(header[1]);
  });
}

bool asks_for_more(const RequestContent& request) {
  const ChecksPlan& checks = request.checks;
  return request.redirects > 0 || !request.extract.empty() || !checks.contains.empty() ||
         !checks.matches.empty() || !checks.json.empty() || !checks.headers.empty() ||
         checks.under_ns > 0;
}

std::string indexed(const char* list, size_t i) {
  return std::string(list) + "[" + std::to_string(i) + "]";
}

}  // namespace

Result<ScenarioPlan> parse_scenario_plan(const json& load, std::span<const std::string> names) {
  ScenarioPlan out;
  const json requests = load.value("requests", json::array());
  for (size_t i = 0; i < requests.size(); ++i) {
    PLUMB_ASSIGN_OR_RETURN(auto content, read_content(requests[i], indexed("load.requests", i)));
    out.needed = out.needed || asks_for_more(content) || has_placeholder(requests[i]);
    out.requests.push_back(std::move(content));
  }
  const json sequences = load.value("scenarios", json::array());
  if (sequences.size() > kMostSequences)
    return refused("load.scenarios", "holds more than 200 scenarios");
  for (size_t i = 0; i < sequences.size(); ++i) {
    PLUMB_ASSIGN_OR_RETURN(auto sequence,
                           read_sequence(sequences[i], names, indexed("load.scenarios", i)));
    out.sequences.push_back(std::move(sequence));
  }
  const json feeders = load.value("feeders", json::array());
  if (feeders.size() > kMostFeeders) return refused("load.feeders", "holds more than 100 feeders");
  for (size_t i = 0; i < feeders.size(); ++i) {
    PLUMB_ASSIGN_OR_RETURN(auto feeder, read_feeder(feeders[i], indexed("load.feeders", i)));
    out.feeders.push_back(std::move(feeder));
  }
  if (load.contains("auth")) {
    PLUMB_ASSIGN_OR_RETURN(out.auth, read_auth(load["auth"]));
  }
  out.cookies = load.value("cookies", !out.sequences.empty());
  // What JSON-RPC and MCP, which make their own messages, have no use for.
  const std::string protocol = load.value("protocol", "auto");
  const bool has_content = out.needed || out.cookies || !out.sequences.empty();
  if (has_content && (protocol == "jsonrpc" || protocol == "mcp"))
    return refused("load",
                   "has scenarios, cookies, checks, extract, think, redirects or {{...}}, "
                   "which are for requests of HTTP: load.protocol is " +
                       protocol);
  out.needed = has_content || out.auth.is_dynamic();
  return out;
}

}  // namespace plumb::http_load
