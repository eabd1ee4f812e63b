// The plan's own option table and the load profiles.
#include "core/plan/options.h"

namespace plumb::plan {

const std::vector<OptionRow>& plan_option_table() {
  using T = OptionType;
  static const std::vector<OptionRow> table = {
      {.key = "name",
       .help = "What the run is called in reports; the plan's file name unless given."},

      {.key = "target", .type = T::kSection, .required = true, .help = "The service under test."},
      {.key = "target.url",
       .required = true,
       .help = "Scheme, host and port, without a path. A host other than this machine must be "
               "listed under allow."},
      {.key = "target.process",
       .type = T::kSection,
       .help = "Which processes to watch, children included: one of the four. Without it only the "
               "machine as a whole is watched."},
      {.key = "target.process.port",
       .type = T::kInteger,
       .minimum = "1",
       .maximum = "65535",
       .help = "The process that listens on this TCP port."},
      {.key = "target.process.pid",
       .type = T::kInteger,
       .minimum = "1",
       .maximum = "4194304",
       .help = "The process with this number."},
      {.key = "target.process.name", .help = "Every process of this name."},
      {.key = "target.process.cgroup",
       .help = "Every process in this cgroup, as a path below /sys/fs/cgroup."},
      {.key = "target.start",
       .type = T::kStrings,
       .help = "A command, as a list. plumb starts it, waits until it is healthy, and stops it "
               "after the run."},
      {.key = "target.health",
       .help = "A path that answers below 400 when the service is ready. Without it, that its port "
               "accepts a connection is enough."},
      {.key = "target.health_timeout",
       .type = T::kDuration,
       .default_value = "15s",
       .minimum = "100ms",
       .maximum = "10m",
       .help = "How long to wait for it to become healthy."},

      {.key = "load", .type = T::kSection, .required = true, .help = "How the service is loaded."},
      {.key = "load.model",
       .one_of = {"open", "closed"},
       .help = "open: requests arrive at a rate, whether or not earlier ones were answered. "
               "closed: a number of users wait for each answer. Follows from rate or users "
               "unless given."},
      {.key = "load.profile",
       .one_of = {"smoke", "light", "medium", "heavy", "stress"},
       .help = "A ready-made load, see below."},
      {.key = "load.rate",
       .type = T::kRate,
       .minimum = "0.001/s",
       .maximum = "1000000/s",
       .help = "Open model: requests per second."},
      {.key = "load.users",
       .type = T::kInteger,
       .minimum = "1",
       .maximum = "10000",
       .help = "Closed model: how many users."},
      {.key = "load.spawn_rate",
       .type = T::kRate,
       .minimum = "0.001/s",
       .maximum = "1000000/s",
       .help = "Closed model: how fast users are added; all at once unless given."},
      {.key = "load.think",
       .type = T::kDuration,
       .maximum = "1h",
       .help = "Closed model: a user's pause after each answer; none unless given."},
      {.key = "load.warmup",
       .type = T::kDuration,
       .default_value = "2s",
       .maximum = "1h",
       .help = "Load before the measurement; not part of any figure."},
      {.key = "load.duration",
       .type = T::kDuration,
       .default_value = "10s",
       .minimum = "100ms",
       .maximum = "24h",
       .help = "How long is measured."},
      {.key = "load.cooldown",
       .type = T::kDuration,
       .default_value = "1s",
       .maximum = "1h",
       .help = "How long to go on watching after the load has ended; not part of any figure."},
      {.key = "load.timeout",
       .type = T::kDuration,
       .default_value = "10s",
       .minimum = "1ms",
       .maximum = "10m",
       .help = "After this long a request counts as failed."},
      {.key = "load.connections",
       .type = T::kInteger,
       .minimum = "1",
       .maximum = "60000",
       .help = "Open model: the most connections at a time; the load plugin's own limit unless "
               "given."},
      {.key = "load.arrivals",
       .default_value = "constant",
       .one_of = {"constant", "poisson"},
       .help = "Open model: evenly spaced, or with the random gaps of independent users, the same "
               "for the same seed."},
      {.key = "load.protocol",
       .default_value = "auto",
       .one_of = {"auto", "http1", "curl", "jsonrpc", "mcp"},
       .help = "auto and http1: HTTP/1.1 over the load plugin's own engine. curl: over libcurl, at "
               "two to three times the processor time. jsonrpc: calls of JSON-RPC 2.0, as POSTs. "
               "mcp: a server of the Model Context Protocol, over streamable HTTP."},
      {.key = "load.mcp", .type = T::kSection, .help = "What protocol mcp needs beyond requests."},
      {.key = "load.mcp.path", .default_value = "/mcp", .help = "Where the server takes POSTs."},
      {.key = "load.mcp.session",
       .default_value = "auto",
       .one_of = {"auto", "always", "never"},
       .help = "auto: each user begins with initialize, and goes on with the session that the "
               "server gives, if it does. always: a server that gives none is an error. never: no "
               "initialize, each request stands for itself."},
      {.key = "load.mcp.tools",
       .type = T::kStrings,
       .help = "Without requests: the tools to call, at 40, 30 and 20%, beside tools/list at 10%; "
               "the first three by name unless given."},
      {.key = "load.seed",
       .type = T::kInteger,
       .default_value = "1",
       .minimum = "0",
       .help = "The same seed gives the same order of requests."},
      {.key = "load.bearer",
       .secret = true,
       .help = "A token, sent as Authorization: Bearer with every request. Take it from the "
               "environment: \"${API_TOKEN}\"."},
      {.key = "load.plugin",
       .default_value = "http_load",
       .help = "The plugin that makes the load. Options of its own go under plugins."},
      {.key = "load.requests",
       .type = T::kSections,
       .help = "What is requested, each in proportion to its weight. Unless given: GET /, and with "
               "protocol mcp some of the tools that the server has."},
      {.key = "load.requests[].name",
       .help = "What reports and SLOs call it; unless given its path, or what is called, such as "
               "tools/call search. Unique."},
      {.key = "load.requests[].method",
       .default_value = "GET",
       .one_of = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"},
       .help = "The HTTP method."},
      {.key = "load.requests[].path",
       .default_value = "/",
       .help = "Path and query, from the first slash."},
      {.key = "load.requests[].weight",
       .type = T::kNumber,
       .default_value = "1",
       .minimum = "0.001",
       .maximum = "1000000",
       .help = "Its share: weight 3 comes three times as often as weight 1."},
      {.key = "load.requests[].headers",
       .type = T::kStringMap,
       .help = "Request headers. Values of those that carry credentials are redacted."},
      {.key = "load.requests[].body", .help = "The request body, as sent."},
      {.key = "load.requests[].json",
       .type = T::kAny,
       .help = "The request body as YAML, sent as JSON with its content type."},
      {.key = "load.requests[].rpc",
       .help = "Protocol jsonrpc: the method to call, in place of method, body and json."},
      {.key = "load.requests[].params",
       .type = T::kAny,
       .help = "Protocol jsonrpc: its parameters, as keys or a list."},
      {.key = "load.requests[].tool",
       .help = "Protocol mcp: the tool to call. Each request has one of tool, resource, prompt and "
               "list."},
      {.key = "load.requests[].arguments",
       .type = T::kAny,
       .help = "Protocol mcp: what the tool or prompt is given; made up from its schema unless "
               "given."},
      {.key = "load.requests[].resource", .help = "Protocol mcp: the URI of a resource to read."},
      {.key = "load.requests[].prompt", .help = "Protocol mcp: the prompt to get."},
      {.key = "load.requests[].list",
       .one_of = {"tools", "resources", "prompts"},
       .help = "Protocol mcp: what to list."},
      {.key = "load.requests[].expect",
       .type = T::kIntegers,
       .minimum = "100",
       .maximum = "599",
       .help = "Statuses that count as success; all below 400 unless given."},
      {.key = "load.requests[].timeout",
       .type = T::kDuration,
       .minimum = "1ms",
       .maximum = "10m",
       .help = "As load.timeout, for this request."},

      {.key = "plugins",
       .type = T::kSection,
       .help = "What watches the run: a plugin's name and its options. `plumb plugin list` shows "
               "what is installed, `plumb plugin info NAME` the options of one."},

      {.key = "slos",
       .type = T::kSections,
       .help = "What the service promises. A breach gives exit code 3."},
      {.key = "slos[].endpoint",
       .help = "The name of a request; all requests together unless given."},
      {.key = "slos[].p50",
       .type = T::kDuration,
       .minimum = "1us",
       .help = "Half of all requests are answered within this time."},
      {.key = "slos[].p90", .type = T::kDuration, .minimum = "1us", .help = "As p50, for 90%."},
      {.key = "slos[].p95", .type = T::kDuration, .minimum = "1us", .help = "As p50, for 95%."},
      {.key = "slos[].p99", .type = T::kDuration, .minimum = "1us", .help = "As p50, for 99%."},
      {.key = "slos[].p999", .type = T::kDuration, .minimum = "1us", .help = "As p50, for 99.9%."},
      {.key = "slos[].mean", .type = T::kDuration, .minimum = "1us", .help = "The mean time."},
      {.key = "slos[].max", .type = T::kDuration, .minimum = "1us", .help = "The longest time."},
      {.key = "slos[].error_rate",
       .type = T::kRatio,
       .help = "The largest share of requests that may fail."},
      {.key = "slos[].rate",
       .type = T::kRate,
       .minimum = "0.001/s",
       .help = "The least number of answered requests per second."},

      {.key = "allow",
       .type = T::kStrings,
       .help = "Hosts other than this machine that may be loaded, as written in target.url. List "
               "only what you may load."},
      {.key = "run_dir",
       .type = T::kPath,
       .default_value = "runs",
       .help = "Where run files and reports are kept."},
  };
  return table;
}

const OptionRow& interval_option() {
  static const OptionRow row = {.key = "interval",
                                .type = OptionType::kDuration,
                                .minimum = "10ms",
                                .maximum = "1h",
                                .help = "Time between two samples; the plugin's own unless given."};
  return row;
}

const std::vector<Profile>& load_profiles() {
  const auto profile = [](const char* name, const char* users, const char* duration,
                          const char* help) {
    return Profile{name, {{"model", "closed"}, {"users", users}, {"duration", duration}}, help};
  };
  static const std::vector<Profile> profiles = {
      profile("smoke", "1", "5s", "Does it work at all?"),
      profile("light", "5", "10s", "A quick look."),
      profile("medium", "20", "30s", "An ordinary measurement."),
      profile("heavy", "50", "60s", "A busy hour."),
      profile("stress", "100", "60s", "Beyond what it is made for."),
  };
  return profiles;
}

}  // namespace plumb::plan
