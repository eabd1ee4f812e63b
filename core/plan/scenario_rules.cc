#include "core/plan/scenario_rules.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/base/nearest.h"
#include "core/plan/target_url.h"

namespace plumb::plan {
namespace {

using Json = nlohmann::json;

// Which keys of load.auth each type takes, besides `type`; the first `needed` it must have.
struct AuthType {
  const char* name;
  size_t needed;
  std::vector<std::string> keys;
};
const std::vector<AuthType>& auth_types() {
  static const std::vector<AuthType> types = {
      {"bearer", 1, {"token"}},
      {"basic", 2, {"user", "password"}},
      {"oauth2",
       2,
       {"token_url", "client_id", "client_secret", "refresh_token", "scope", "audience"}},
      {"jwt", 1, {"secret", "claims", "ttl"}}};
  return types;
}

std::string nearest_hint(const std::string& word, const std::vector<std::string>& candidates) {
  std::string hint = did_you_mean(word, candidates);
  if (!hint.empty()) return hint.substr(1);
  for (const std::string& candidate : candidates)
    if (hint.size() < 200) hint += (hint.empty() ? "requests: " : ", ") + candidate;
  return hint;
}

class ScenarioRules {
 public:
  ScenarioRules(const Checked& checked, const ScenarioPermissions& permissions, Load& load,
                Problems& problems)
      : checked_(checked), permissions_(permissions), load_(load), problems_(problems) {
    for (const Request& request : load.requests) names_.push_back(request.name);
  }

  void run() {
    scenarios();
    step_weights();
    feeders();
    for (size_t i = 0; i < load_.requests.size(); ++i)
      extracts("load.requests." + std::to_string(i) + ".extract");
    auth();
  }

 private:
  const Value* find(const std::string& key) const {
    const auto found = checked_.values.find(key);
    return found == checked_.values.end() ? nullptr : &found->second;
  }
  std::string text(const std::string& key) const {
    const Value* value = find(key);
    return value != nullptr && value->carried.is_string() ? value->carried.get<std::string>() : "";
  }
  size_t length(const std::string& key) const {
    const Value* value = find(key);
    return value != nullptr && value->carried.is_number() ? value->carried.get<size_t>() : 0;
  }
  bool has_section(const std::string& key) const { return checked_.sections.contains(key); }
  void wrong(const std::string& key, std::string message, std::string hint = {}) {
    const Value* value = find(key);
    Node place;
    if (value != nullptr) {
      place.mark = value->mark;
      place.source = value->source;
    } else if (const auto section = checked_.sections.find(key);
               section != checked_.sections.end()) {
      place.mark = section->second;
    }
    problems_.at(place, key, std::move(message), std::move(hint));
  }
  void unique(const std::string& key, std::set<std::string>& names) {
    const std::string name = text(key);
    if (!name.empty() && !names.insert(name).second)
      wrong(key, "another one is called " + in_quotes(name) + " too", "names are unique");
  }

  void scenarios() {
    std::set<std::string> names;
    for (size_t i = 0; i < length("load.scenarios"); ++i) {
      const std::string prefix = "load.scenarios." + std::to_string(i) + ".";
      unique(prefix + "name", names);
      const Value* steps = find(prefix + "steps");
      if (steps == nullptr) continue;
      if (steps->carried.empty()) wrong(prefix + "steps", "lists no request");
      for (const Json& step : steps->carried) one_step(prefix + "steps", step.get<std::string>());
    }
  }
  void one_step(const std::string& key, const std::string& step) {
    steps_.insert(step);
    if (std::find(names_.begin(), names_.end(), step) == names_.end())
      wrong(key, "no request is called " + in_quotes(step), nearest_hint(step, names_));
  }
  void step_weights() {
    for (size_t i = 0; i < load_.requests.size(); ++i) {
      const Value* weight = find("load.requests." + std::to_string(i) + ".weight");
      const bool given = weight != nullptr && weight->layer != Layer::kDefault;
      if (!given && steps_.contains(load_.requests[i].name)) load_.requests[i].weight = 0;
    }
  }

  void feeders() {
    std::set<std::string> names;
    for (size_t i = 0; i < length("load.feeders"); ++i) {
      const std::string section = "load.feeders." + std::to_string(i);
      unique(section + ".name", names);
      const bool is_file = find(section + ".file") != nullptr;
      const int sources = int{is_file} + int{has_section(section + ".counter")} +
                          int{has_section(section + ".random")};
      if (sources != 1)
        wrong(section, "a feeder has one of file, counter and random",
              "such as {name: users, file: users.csv}");
      if (is_file)
        feeder_file(i, section + ".file");
      else if (find(section + ".order") != nullptr)
        wrong(section + ".order", "is for a file");
    }
  }
  void feeder_file(size_t index, const std::string& key) {
    if (!permissions_.may_read(key)) return;
    const std::filesystem::path file = std::filesystem::absolute(text(key));
    load_.extra["feeders"][index]["file"] = file.string();
    const std::string ending = file.extension().string();
    if (ending != ".csv" && ending != ".jsonl" && ending != ".ndjson")
      return wrong(key, "its name must end in .csv, .jsonl or .ndjson");
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error) || !std::ifstream(file))
      wrong(key, "cannot read " + file.string() + ": " +
                     (error ? error.message() : std::string("it is no file")));
  }

  void extracts(const std::string& key) {
    const Value* given = find(key);
    if (given == nullptr || !given->carried.is_object()) return;
    for (const auto& [name, rule] : given->carried.items()) {
      const auto written = rule.get<std::string>();
      const bool known = written.starts_with("json:") || written.starts_with("header:") ||
                         written.starts_with("regex:");
      if (!known)
        wrong(key, "there is no way " + in_quotes(written) + " to extract " + in_quotes(name),
              "write json:/pointer, header:Name or regex:pattern");
    }
  }

  void auth() {
    if (!has_section("load.auth")) return;
    if (find("load.bearer") != nullptr)
      wrong("load.bearer", "both auth and bearer are given", "keep one of them");
    const std::string type = text("load.auth.type");
    for (const AuthType& known : auth_types()) {
      const bool chosen = type == known.name;
      for (size_t i = 0; i < known.keys.size(); ++i) {
        const std::string key = "load.auth." + known.keys[i];
        if (!chosen && !type.empty() && find(key) != nullptr)
          wrong(key, std::string("is for ") + known.name + ", and load.auth.type is " + type);
        if (chosen && i < known.needed && text(key).empty()) missing(key);
      }
    }
    if (type != "oauth2") return;
    if (text("load.auth.client_secret").empty() && text("load.auth.refresh_token").empty())
      missing("load.auth.client_secret");
    token_url();
  }
  void missing(const std::string& key) {
    const auto section = checked_.sections.find("load.auth");
    problems_.at(section->second, key, "is missing");
  }
  // The client's secret goes there: to this machine, or to a host that the plan allows.
  void token_url() {
    const std::string key = "load.auth.token_url";
    const std::string written = text(key);
    if (written.empty()) return;
    const size_t host = written.find("://");
    const size_t path = host == std::string::npos ? host : written.find_first_of("/?#", host + 3);
    const auto url = parse_target_url(written.substr(0, path));
    if (url.is_ok()) load_.token_host = url->host;
    if (!url.is_ok())
      wrong(key, url.status().message());
    else if (!permissions_.is_allowed(url->host))
      wrong(key, url->host + " is not this machine, and secrets go only where it is allowed",
            "if it is yours, add to the plan: allow: [" + url->host + "]");
  }

  const Checked& checked_;
  const ScenarioPermissions& permissions_;
  Load& load_;
  Problems& problems_;
  std::vector<std::string> names_;
  std::set<std::string> steps_;
};

}  // namespace

void settle_scenarios(const Checked& checked, const ScenarioPermissions& permissions, Load& load,
                      Problems& problems) {
  ScenarioRules(checked, permissions, load, problems).run();
}

}  // namespace plumb::plan
