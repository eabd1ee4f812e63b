#include "core/plan/assemble.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <set>
#include <span>

#include "core/base/nearest.h"
#include "core/plan/arrival_trace.h"
#include "core/plan/quantity.h"
#include "core/plan/scenario_rules.h"
#include "core/plan/target_url.h"

namespace plumb::plan {
namespace {

using Json = nlohmann::json;

bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}
// A path as it can be checked before its placeholders have values: with an x for each.
std::string without_placeholders(std::string_view text) {
  std::string out;
  for (size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{")) {
    const size_t close = text.find("}}", open);
    if (close == std::string_view::npos) break;
    out.append(text.substr(0, open)).append("x");
    text.remove_prefix(close + 2);
  }
  return out.append(text);
}
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) || kMarks.find(static_cast<char>(c)) != std::string_view::npos;
  });
}
bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}
std::string hint_of(const std::string& word, const std::vector<std::string>& candidates) {
  std::string hint = did_you_mean(word, candidates);
  if (!hint.empty()) hint.erase(0, 1);
  return hint;
}

// What only the load plugin reads; it goes there as it was checked.
constexpr const char* kLoadSections[] = {"scenarios", "feeders", "auth",   "cookies",
                                         "mcp",       "abort",   "streams"};
constexpr const char* kRequestKeys[] = {"timeout",   "think",    "redirects", "extract",
                                        "checks",    "rpc",      "params",    "tool",
                                        "arguments", "resource", "prompt",    "list"};

class Assembler {
 public:
  Assembler(const Checked& checked, const std::vector<PluginOptions>& plugins, bool may_name_files,
            Problems& problems)
      : checked_(checked),
        plugins_(plugins),
        may_name_files_(may_name_files),
        problems_(problems) {}

  Plan run() {
    plan_.name = text("name");
    if (const Value* name = find("name"); name != nullptr)
      if (plan_.name.empty() || plan_.name.size() > 100 || !is_printable(plan_.name))
        wrong("name", "expected 1 to 100 printable characters");
    plan_.run_dir = text("run_dir");
    if (plan_.run_dir.empty()) plan_.run_dir = "runs";
    plan_.baseline = text("baseline");
    for (const Json& path : list("rules"))
      if (may_name_file("rules"))
        plan_.rules.push_back(std::filesystem::absolute(path.get<std::string>()).string());
    for (const Json& host : list("allow")) plan_.allow.push_back(host.get<std::string>());
    target();
    load();
    requests();
    const auto allowed = [this](const std::string& host) { return is_allowed(host); };
    const auto may_read = [this](const std::string& key) { return may_name_file(key); };
    settle_scenarios(checked_, {allowed, may_read}, plan_.load, problems_);
    plugins();
    slos();
    plan_.resolved = checked_.resolved;
    for (size_t i = 0; i < plan_.load.requests.size(); ++i)
      if (plan_.load.requests[i].weight == 0)  // a step, which a weight would make more
        plan_.resolved["load"]["requests"][i].erase("weight");
    if (!plan_.load.stages.empty())  // their own durations count
      for (const char* key : {"warmup", "duration"}) plan_.resolved["load"].erase(key);
    for (const auto& [key, value] : checked_.values) {
      plan_.origins[key] = {!value.source.empty() ? value.source
                                                  : "plan:" + std::to_string(value.mark.line)};
      if (value.secret && value.carried.is_string()) add_secret(value.carried.get<std::string>());
    }
    for (const std::string& secret : checked_.secrets) add_secret(secret);
    return std::move(plan_);
  }

 private:
  const Value* find(const std::string& key) const {
    const auto found = checked_.values.find(key);
    return found == checked_.values.end() ? nullptr : &found->second;
  }
  std::string text(const std::string& key) const {
    const Value* value = find(key);
    return value == nullptr || !value->carried.is_string() ? "" : value->carried.get<std::string>();
  }
  template <typename T>
  T number(const std::string& key, T fallback) const {
    const Value* value = find(key);
    return value == nullptr ? fallback : value->carried.get<T>();
  }
  Nanoseconds duration(const std::string& key) const {
    return Nanoseconds(number<int64_t>(key, 0));
  }
  Json list(const std::string& key) const {
    const Value* value = find(key);
    return value == nullptr ? Json::array() : value->carried;
  }
  size_t length(const std::string& key) const { return number<size_t>(key, 0); }

  // What the resolved plan shows at `key`, in carried units and with its secrets.
  Json carried(const Json& shown, const std::string& key) const {
    const Value* value = find(key);
    if (value != nullptr && !(shown.is_array() && value->carried.is_number()))
      return value->carried;
    Json out = shown.is_array() ? Json::array() : Json::object();
    if (shown.is_array()) {
      for (size_t i = 0; i < shown.size(); ++i)
        out.push_back(carried(shown[i], key + "." + std::to_string(i)));
    } else if (shown.is_object()) {
      for (const auto& [name, child] : shown.items()) out[name] = carried(child, key + "." + name);
    }
    return out;
  }
  // Those of `keys` that stand in the section at `prefix`.
  Json extra(std::span<const char* const> keys, const Json& section,
             const std::string& prefix) const {
    Json out = Json::object();
    for (const char* key : keys)
      if (section.contains(key)) out[key] = carried(section[key], prefix + key);
    return out;
  }
  Json section_of(const char* name) const {
    const auto found = checked_.resolved.find(name);
    return found != checked_.resolved.end() && found->is_object() ? *found : Json::object();
  }

  Mark section_mark(const std::string& key) const {
    const auto found = checked_.sections.find(key);
    return found == checked_.sections.end() ? Mark{} : found->second;
  }
  void wrong(const std::string& key, std::string message, std::string hint = {}) {
    const Value* value = find(key);
    Node place;
    if (value != nullptr) {
      place.mark = value->mark;
      place.source = value->source;
    }
    // A default stands where it could have been given.
    if (const Mark section = section_mark(key.substr(0, key.rfind('.')));
        place.source == "default" && section.line > 0)
      place = Node{.mark = section};
    problems_.at(place, key, std::move(message), std::move(hint));
  }
  void add_secret(const std::string& value) {
    if (!value.empty()) plan_.secret_values.push_back(value);
  }

  void target() {
    Target& target = plan_.target;
    if (find("target.url") != nullptr) {
      auto url = parse_target_url(text("target.url"));
      if (!url.is_ok()) {
        wrong("target.url", url.status().message());
      } else {
        target.url = url->url;
        target.host = url->host;
        target.port = url->port;
        if (!is_allowed(target.host))
          wrong("target.url",
                target.host + " is not this machine, and load goes only where it is allowed",
                "if you may load it, add to the plan: allow: [" + target.host + "]");
      }
    }
    target.health = text("target.health");
    if (!target.health.empty()) check_path("target.health", target.health);
    target.health_timeout = duration("target.health_timeout");
    process(target.process);
    for (const Json& word : list("target.start")) target.start.push_back(word.get<std::string>());
    if (target.start.size() == 1 && target.start[0].find(' ') != std::string::npos)
      wrong("target.start", "a command is a list of words, got one with blanks in it",
            "write start: [command, --flag, value]");
    if (!target.start.empty() && target.start[0].empty())
      wrong("target.start", "the command is empty");
  }
  bool is_allowed(const std::string& host) const {
    return is_loopback(host) ||
           std::any_of(plan_.allow.begin(), plan_.allow.end(),
                       [&](const std::string& allowed) { return same_word(allowed, host); });
  }
  void check_path(const std::string& key, const std::string& written) {
    const std::string path = without_placeholders(written);
    if (!path.starts_with('/') && !written.starts_with("{{"))
      wrong(key, "a path begins with a slash", "write /" + path);
    else if (!is_printable(path) || path.find_first_of(" #") != std::string::npos)
      wrong(key, "a path takes no blanks, control characters or #", "encode them, as %20");
  }
  void process(ProcessSelector& process) {
    const std::string prefix = "target.process.";
    int given = 0;
    std::string last;
    for (const char* key : {"port", "pid", "name", "cgroup"})
      if (find(prefix + key) != nullptr) {
        ++given;
        last = prefix + key;
      }
    if (given > 1) wrong(last, "only one of port, pid, name and cgroup can be given");
    if (find(prefix + "port") != nullptr) process.port = number<int>(prefix + "port", 0);
    if (find(prefix + "pid") != nullptr) process.pid = number<int>(prefix + "pid", 0);
    process.name = text(prefix + "name");
    process.cgroup = text(prefix + "cgroup");
  }

  void load() {
    Load& load = plan_.load;
    load.model = text("load.model") == "open" ? LoadModel::kOpen : LoadModel::kClosed;
    load.rate = number<double>("load.rate", 0);
    load.users = number<int>("load.users", 0);
    load.spawn_rate = number<double>("load.spawn_rate", 0);
    load.think = duration("load.think");
    load.pacing = duration("load.pacing");
    load.workers = number<int>("load.workers", 1);
    load.warmup = duration("load.warmup");
    load.duration = duration("load.duration");
    load.cooldown = duration("load.cooldown");
    load.timeout = duration("load.timeout");
    load.connections = number<int>("load.connections", 0);
    load.arrivals = text("load.arrivals");
    load.protocol = text("load.protocol");
    load.seed = number<uint64_t>("load.seed", 1);
    load.bearer = text("load.bearer");
    if (!is_printable(load.bearer)) wrong("load.bearer", "a token takes no control characters");
    load.extra = extra(kLoadSections, section_of("load"), "load.");
    stages(load);
    replay(load);
    if (find("load.log") != nullptr && may_name_file("load.log")) log_file(load);
    if (find("load.plugin") == nullptr) return;
    load.plugin = text("load.plugin");
    std::vector<std::string> drivers;
    for (const PluginOptions& plugin : plugins_)
      if (plugin.role == PLUMB_ROLE_LOAD) drivers.push_back(plugin.name);
    if (std::find(drivers.begin(), drivers.end(), load.plugin) != drivers.end()) return;
    std::string hint = hint_of(load.plugin, drivers);
    for (size_t i = 0; hint.empty() && i < drivers.size(); ++i) hint = "installed: " + drivers[i];
    if (hint.empty()) hint = "no load plugin is installed";
    wrong("load.plugin", "there is no load plugin " + in_quotes(load.plugin), hint);
  }

  void log_file(Load& load) {
    const std::filesystem::path file = std::filesystem::absolute(text("load.log"));
    load.extra["log"] = file.string();
    if (file.extension() != ".zst")
      wrong("load.log", "is compressed with zstd, so its name ends in .zst",
            text("load.log") + (file.extension() == ".csv" ? ".zst" : ".csv.zst"));
    std::error_code ignored;
    if (!std::filesystem::is_directory(file.parent_path(), ignored))
      wrong("load.log", "there is no directory " + file.parent_path().string());
  }

  void stages(Load& load) {
    const size_t count = length("load.stages");
    if (find("load.stages") == nullptr) return;
    if (count == 0) wrong("load.stages", "lists no stage", "write {steady: 30s, rate: 200/s}");
    if (count > 1000) wrong("load.stages", "lists more than 1000 stages");
    load.warmup = load.duration = Nanoseconds(0);
    double level = 0;
    for (size_t i = 0; i < count; ++i) {
      LoadStage stage = one_stage(i);
      const bool same_model = i == 0 || load.stages.back().model == stage.model;
      const double before = same_model ? level : 0;
      level = stage.to;
      (stage.kind == PLUMB_STAGE_WARMUP ? load.warmup : load.duration) += stage.duration;
      if (stage.kind == PLUMB_STAGE_RAMP)
        add_ramp(load, std::move(stage), before, "load.stages." + std::to_string(i) + ".");
      else
        load.stages.push_back(std::move(stage));
    }
    if (!load.stages.empty()) load.model = load.stages.front().model;
    if (load.duration == Nanoseconds(0)) wrong("load.stages", "only warm up");
    if (std::all_of(load.stages.begin(), load.stages.end(),
                    [](const LoadStage& stage) { return stage.from == 0 && stage.to == 0; }))
      wrong("load.stages", "ask for no load at all");
    if (load.warmup + load.duration > std::chrono::hours(240))
      wrong("load.stages", "last longer than ten days");
  }
  LoadStage one_stage(size_t i) {
    struct Kind {
      const char* key;
      uint32_t kind;
      const char* name;
    };
    constexpr Kind kKinds[] = {{"warmup", PLUMB_STAGE_WARMUP, "warm-up"},
                               {"steady", PLUMB_STAGE_STEADY, "steady"},
                               {"ramp", PLUMB_STAGE_RAMP, "ramp"},
                               {"spike", PLUMB_STAGE_SPIKE, "spike"}};
    const std::string section = "load.stages." + std::to_string(i);
    const std::string prefix = section + ".";
    LoadStage stage;
    int kinds = 0;
    for (const Kind& kind : kKinds) {
      if (find(prefix + kind.key) == nullptr) continue;
      ++kinds;
      stage.kind = kind.kind;
      stage.name = kind.name;
      stage.duration = duration(prefix + kind.key);
    }
    if (kinds != 1)
      problems_.at(section_mark(section), section,
                   "a stage is one of warmup, steady, ramp and spike, with its duration",
                   "such as {steady: 30s, rate: 200/s}");
    const bool rate = find(prefix + "rate") != nullptr;
    if (rate == (find(prefix + "users") != nullptr))
      problems_.at(section_mark(section), section, "a stage has either a rate or users",
                   "such as {steady: 30s, rate: 200/s} or {steady: 30s, users: 20}");
    stage.model = rate ? LoadModel::kOpen : LoadModel::kClosed;
    stage.from = stage.to = number<double>(prefix + (rate ? "rate" : "users"), 0);
    if (find(prefix + "name") != nullptr) stage.name = text(prefix + "name");
    if (stage.name.empty() || stage.name.size() > 100 || !is_printable(stage.name))
      wrong(prefix + "name", "expected 1 to 100 printable characters");
    if (find(prefix + "steps") != nullptr && stage.kind != PLUMB_STAGE_RAMP)
      wrong(prefix + "steps", "is for a ramp");
    return stage;
  }
  // A stepped ramp becomes stages of its own, so that each step can be judged.
  void add_ramp(Load& load, LoadStage stage, double before, const std::string& prefix) {
    const int steps = number<int>(prefix + "steps", 0);
    if (steps == 0) {
      stage.from = before;
      load.stages.push_back(std::move(stage));
      return;
    }
    const double to = stage.to;
    const std::string name = stage.name;
    stage.duration /= steps;
    for (int step = 1; step <= steps; ++step) {
      stage.from = stage.to = before + (to - before) * step / steps;
      if (stage.model == LoadModel::kClosed) stage.from = stage.to = std::round(stage.to);
      stage.name = name + " " + std::to_string(step) + "/" + std::to_string(steps);
      load.stages.push_back(stage);
    }
  }
  bool may_name_file(const std::string& key) {
    if (!may_name_files_)
      wrong(key, "a plan from elsewhere names no file of this machine", "leave it out");
    return may_name_files_;
  }
  // How long a recorded trace lasts is known only from its file.
  void replay(Load& load) {
    if (find("load.replay") == nullptr || !may_name_file("load.replay")) return;
    load.replay = std::filesystem::absolute(text("load.replay")).string();
    load.replay_speed = number<double>("load.replay_speed", 1);
    auto trace = read_arrival_trace(load.replay);
    if (!trace.is_ok()) return wrong("load.replay", trace.status().message());
    const auto length =
        Nanoseconds(static_cast<int64_t>(static_cast<double>(trace->back()) / load.replay_speed));
    load.rate = static_cast<double>(trace->size()) / std::max(1e-9, length.count() / 1e9);
    if (find("load.warmup")->layer == Layer::kDefault) load.warmup = Nanoseconds(0);
    if (find("load.duration")->layer == Layer::kDefault)
      load.duration = std::max<Nanoseconds>(length + std::chrono::milliseconds(1) - load.warmup,
                                            std::chrono::milliseconds(100));
  }

  void requests() {
    if (length("load.requests") == 0 && find("load.requests") != nullptr)
      wrong("load.requests", "lists no request", "leave it out to request GET /");
    if (length("load.requests") > 1000) wrong("load.requests", "lists more than 1000 requests");
    std::set<std::string> names;
    for (size_t i = 0; i < length("load.requests"); ++i) {
      const std::string prefix = "load.requests." + std::to_string(i) + ".";
      Request request;
      request.name = text(prefix + "name");
      request.method = text(prefix + "method");
      request.path = text(prefix + "path");
      request.weight = number<double>(prefix + "weight", 1);
      if (find(prefix + "path") != nullptr) check_path(prefix + "path", request.path);
      if (find(prefix + "name") != nullptr) check_name(prefix, request, names);
      for (const Json& status : list(prefix + "expect"))
        request.expect.push_back(status.get<int>());
      headers(prefix, request);
      body(prefix, request);
      request.extra.update(
          extra(kRequestKeys, section_of("load").value("requests", Json::array()).at(i), prefix));
      plan_.load.requests.push_back(std::move(request));
    }
  }
  void check_name(const std::string& prefix, const Request& request, std::set<std::string>& names) {
    if (request.name.empty() || request.name.size() > 200 || !is_printable(request.name))
      wrong(prefix + "name", "expected 1 to 200 printable characters");
    else if (!names.insert(request.name).second)
      wrong(prefix + "name", "another request is called " + in_quotes(request.name) + " too",
            "give each request a name of its own");
  }
  void headers(const std::string& prefix, Request& request) {
    const Value* given = find(prefix + "headers");
    if (given == nullptr || !given->carried.is_object()) return;
    for (const auto& [name, json] : given->carried.items()) {
      const auto value = json.get<std::string>();
      const std::string key = prefix + "headers";
      if (!is_token(name)) wrong(key, in_quotes(name) + " is no name of a header");
      for (const char* own : {"host", "content-length", "transfer-encoding", "connection"})
        if (same_word(name, own)) wrong(key, name + " is set by the load plugin itself");
      if (!is_printable(value)) wrong(key, "the value of " + name + " holds a control character");
      request.headers.emplace_back(name, value);
    }
  }
  void body(const std::string& prefix, Request& request) {
    request.body = text(prefix + "body");
    const Value* json = find(prefix + "json");
    if (json == nullptr) return;
    if (find(prefix + "body") != nullptr)
      wrong(prefix + "json", "both body and json are given", "keep one of them");
    request.body = json->carried.dump();
    request.extra["json_body"] = true;
    const bool typed =
        std::any_of(request.headers.begin(), request.headers.end(),
                    [](const auto& header) { return same_word(header.first, "content-type"); });
    if (!typed) request.headers.emplace_back("Content-Type", "application/json");
  }

  void plugins() {
    const auto given = checked_.resolved.find("plugins");
    if (given == checked_.resolved.end() || !given->is_object()) return;
    for (const PluginOptions& plugin : plugins_) {
      if (!given->contains(plugin.name)) continue;
      PluginUse use = one_plugin(plugin);
      if (plugin.role != PLUMB_ROLE_LOAD)
        plan_.plugins.push_back(std::move(use));
      else if (plugin.name == plan_.load.plugin)
        plan_.load.plugin_options = std::move(use.options);
      else
        problems_.at(section_mark("plugins." + plugin.name), "plugins." + plugin.name,
                     "makes load, and the load of this plan is made by " + plan_.load.plugin,
                     "name it under load.plugin");
    }
  }
  PluginUse one_plugin(const PluginOptions& plugin) {
    PluginUse use;
    use.name = plugin.name;
    const std::string prefix = "plugins." + plugin.name + ".";
    for (const OptionRow& row : plugin.options) {
      if (row.secret) use.secrets.push_back(row.key);
      if (const Value* value = find(prefix + row.key)) use.options[row.key] = value->carried;
    }
    if (!declares(plugin, "interval")) use.interval = duration(prefix + "interval");
    if (!declares(plugin, "cpu_budget")) use.cpu_budget = number(prefix + "cpu_budget", 0.0);
    return use;
  }

  void slos() {
    std::vector<std::string> names;
    for (const Request& request : plan_.load.requests) names.push_back(request.name);
    for (size_t i = 0; i < length("slos"); ++i) {
      const std::string prefix = "slos." + std::to_string(i) + ".";
      const std::string endpoint = text(prefix + "endpoint");
      // What a server of MCP offers is known when the load begins.
      const bool is_open_ended = names.empty() && plan_.load.protocol == "mcp";
      if (!endpoint.empty() && !is_open_ended &&
          std::find(names.begin(), names.end(), endpoint) == names.end()) {
        std::string hint;
        for (const std::string& name : names)
          if (hint.size() < 200) hint += (hint.empty() ? "there are: " : ", ") + in_quotes(name);
        wrong(prefix + "endpoint",
              "no request is called " + in_quotes(endpoint) + "." + did_you_mean(endpoint, names),
              hint);
      }
      const size_t before = plan_.slos.size();
      add_limits(prefix, endpoint);
      add_fact_limit(prefix);
      if (plan_.slos.size() == before && !has_fact(prefix) && !problems_.about(prefix))
        problems_.at(section_mark("slos." + std::to_string(i)), "slos." + std::to_string(i),
                     "has no limit", "add one, such as p95: 50ms or error_rate: 0.1%");
    }
  }

  // The limits on what the client saw, a preset's where the SLO has none of its own.
  void add_limits(const std::string& prefix, const std::string& endpoint) {
    const std::string chosen = text(prefix + "preset");
    const auto& presets = slo_presets();
    const auto preset = std::find_if(presets.begin(), presets.end(),
                                     [&](const SloPreset& known) { return known.name == chosen; });
    for (const char* metric :
         {"p50", "p90", "p95", "p99", "p999", "mean", "max", "error_rate", "rate"}) {
      Slo slo;
      slo.endpoint = endpoint;
      slo.metric = metric;
      slo.at_least = slo.metric == "rate";
      const bool is_time = metric[0] == 'p' || metric[0] == 'm';
      if (const Value* value = find(prefix + metric)) {
        const auto carried = value->carried.get<double>();
        slo.limit = is_time ? carried / 1e9 : carried;
        slo.written = value->written;
      } else if (preset != presets.end()) {
        const auto limit =
            std::find_if(preset->limits.begin(), preset->limits.end(),
                         [metric](const auto& entry) { return entry.first == metric; });
        if (limit == preset->limits.end()) continue;
        slo.limit = parse_limit(limit->second).value().value;
        slo.written = limit->second;
      } else {
        continue;
      }
      plan_.slos.push_back(std::move(slo));
    }
  }

  bool has_fact(const std::string& prefix) const {
    return find(prefix + "fact") != nullptr || find(prefix + "at_most") != nullptr ||
           find(prefix + "at_least") != nullptr;
  }

  void add_fact_limit(const std::string& prefix) {
    if (!has_fact(prefix)) return;
    const std::string fact = text(prefix + "fact");
    const bool upper = find(prefix + "at_most") != nullptr;
    const bool lower = find(prefix + "at_least") != nullptr;
    const std::string key = prefix + (lower ? "at_least" : "at_most");
    if (fact.empty())
      return wrong(key, "limits nothing", "name what it limits: fact: target_memory_bytes.max");
    if (upper == lower)
      return wrong(prefix + "fact", upper ? "has two limits" : "has no limit",
                   "write one of at_most and at_least; for both, write two SLOs");
    const auto limit = parse_limit(text(key));
    if (!limit)
      return wrong(key, in_quotes(text(key)) + " is no limit",
                   "write a time (5ms), a size (64MiB), a share (5%), a rate (10/s) or a number");
    Slo slo;
    slo.endpoint = text(prefix + "endpoint");
    slo.metric = fact;
    slo.limit = limit->value;
    slo.written = text(key);
    slo.at_least = lower;
    slo.is_fact = true;
    slo.unit = limit->unit;
    if (const Value* labels = find(prefix + "labels"))
      for (const auto& [name, value] : labels->carried.items())
        slo.labels.emplace_back(name, value.get<std::string>());
    plan_.slos.push_back(std::move(slo));
  }

  const Checked& checked_;
  const std::vector<PluginOptions>& plugins_;
  const bool may_name_files_;
  Problems& problems_;
  Plan plan_;
};

}  // namespace

Plan assemble(const Checked& checked, const std::vector<PluginOptions>& plugins,
              bool may_name_files, Problems& problems) {
  return Assembler(checked, plugins, may_name_files, problems).run();
}

}  // namespace plumb::plan
