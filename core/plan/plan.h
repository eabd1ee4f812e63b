// A plan as the user wrote it, checked and with its defaults filled in.
#ifndef PLUMB_CORE_PLAN_PLAN_H_
#define PLUMB_CORE_PLAN_PLAN_H_

#include <plumb/abi/plugin.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace plumb::plan {

using Nanoseconds = std::chrono::nanoseconds;

// How the target's processes are found; empty when nothing was given (then its host is not watched
// beyond the machine).
struct ProcessSelector {
  std::optional<int> port;
  std::optional<int> pid;
  std::string name;
  std::string cgroup;
  bool empty() const { return !port && !pid && name.empty() && cgroup.empty(); }
};

struct Target {
  std::string url;   // scheme://host[:port], no path
  std::string host;  // from url
  int port = 0;      // from url, 80 or 443 by default
  ProcessSelector process;
  std::vector<std::string> start;  // argv; empty: plumb does not start it
  std::string health;              // path, or empty: a TCP connect is the check
  Nanoseconds health_timeout = std::chrono::seconds(15);
};

struct Request {
  std::string name;
  std::string method = "GET";
  std::string path = "/";
  double weight = 1;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;         // as sent; `json:` in the plan is serialised into it
  std::vector<int> expect;  // statuses that count as success; empty: below 400
  // Further keys that only the load plugin reads, in carried units (ns, per second, ratio).
  nlohmann::json extra = nlohmann::json::object();
};

enum class LoadModel { kOpen, kClosed };

// A stretch of the load. Its level is requests per second or users, by its model.
struct LoadStage {
  uint32_t kind = PLUMB_STAGE_STEADY;  // enum plumb_stage_kind
  std::string name;
  Nanoseconds duration{0};
  LoadModel model = LoadModel::kClosed;
  double from = 0;  // the level at its beginning and at its end
  double to = 0;
};

struct Load {
  // The stages, where the plan has its own; else warmup and duration make them.
  std::vector<LoadStage> stages;
  LoadModel model = LoadModel::kClosed;  // of the first stage
  double rate = 0;                       // open: requests per second
  int users = 0;                         // closed
  double spawn_rate = 0;                 // closed: users per second; 0: all at once
  Nanoseconds think{0};                  // closed: pause after each answer
  Nanoseconds pacing{0};  // closed: the least time between the beginnings of two iterations
  Nanoseconds warmup = std::chrono::seconds(2);
  Nanoseconds duration = std::chrono::seconds(10);
  Nanoseconds cooldown = std::chrono::seconds(1);
  Nanoseconds timeout = std::chrono::seconds(10);  // per request
  int connections = 0;                             // the most at a time; 0: the plugin's default
  std::string arrivals = "constant";
  std::string replay;  // a file of instants that requests are due at, or empty
  double replay_speed = 1;
  int workers = 1;
  std::string protocol = "auto";
  uint64_t seed = 1;
  std::string bearer;      // token for Authorization, already taken from the environment; a secret
  std::string token_host;  // where load.auth gets its tokens, or empty
  std::vector<Request> requests;
  // Sections that only the load plugin reads, by key, in carried units. May hold secrets.
  nlohmann::json extra = nlohmann::json::object();
  std::string plugin = "http_load";
  // The load plugin's own options, as in PluginUse; from plugins.<plugin> of the plan.
  nlohmann::json plugin_options = nlohmann::json::object();
};

// One instance of a plugin, options checked against its manifest, defaults filled in.
struct PluginUse {
  std::string name;
  nlohmann::json options = nlohmann::json::object();  // values in carried units (ns, bytes)
  std::vector<std::string> secrets;                   // keys of options that must be redacted
  Nanoseconds interval{0};                            // samplers; 0: the plugin's own
  double cpu_budget = 0;                              // samplers: of one processor; 0: no limit
};

// What a service promises. One clause of one SLO: `metric` is p50 p90 p95 p99 p999 mean max (limit
// in seconds), error_rate (ratio), rate (requests/s, a lower bound), or the name of a fact.
struct Slo {
  std::string endpoint;  // empty: all
  std::string metric;
  double limit = 0;
  std::string written;  // as the user wrote the limit
  bool at_least = false;
  // Of a fact: its labels, and what the limit is written in: seconds, bytes, ratio, /s, or 1 for a
  // bare number, which is in whatever unit the fact is.
  bool is_fact = false;
  std::vector<std::pair<std::string, std::string>> labels = {};  // by name
  std::string unit = {};
};

// Where the resolved value of a key came from, for `plumb validate --print`.
struct Origin {
  std::string source;  // "plan:12", "--set", "PLUMB_LOAD_RATE", "profile heavy", "default"
};

struct Plan {
  std::string name;
  Target target;
  Load load;
  std::vector<PluginUse> plugins;  // samplers and analyzers; the load plugin is not among them
  std::vector<Slo> slos;
  std::vector<std::string> rules;  // files and directories of rules beside the plugins'
  std::vector<std::string> allow;  // host names or addresses load may go to; loopback always
  std::string run_dir = "runs";
  std::string
      baseline;  // the name of the baseline that `plumb run` holds the run against, or empty
  std::map<std::string, Origin> origins;  // by dotted key
  // The whole resolved plan, secrets redacted: goes into the run file. It has the form of a plan
  // (quantities as text, such as "30s"), with every default filled in.
  nlohmann::json resolved;
  std::vector<std::string> secret_values;  // every secret's value, to scrub messages with
};

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_PLAN_H_
