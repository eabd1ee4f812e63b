#include "core/report/testdata/sample_run.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/base/json_text.h"
#include "core/report/testdata/sample_stacks.h"

namespace plumb::testing {
namespace {

using nlohmann::json;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStarted = 5'000 * kSecond;  // of the monotonic clock

constexpr const char* kRules = R"(
- id: db-pool-exhausted
  layer: database
  let:
    busy: {fact: resource.utilisation, labels: {resource: a pool connection}}
    size: {fact: resource.servers, labels: {resource: a pool connection}}
    waiting: {fact: ledger.queue.pool, or: 0}
    total: ledger.total
  when: busy > 0.9 && waiting > 0.2 * total
  cost: waiting
  says: "The connection pool holds every request up: its {size} connections are busy {busy} of the time, and {waiting} of each request's {total} is spent waiting for one."
  check: "select count(*) filter (where state = 'active'), count(*) from pg_stat_activity where datname = current_database();"
  advice:
    - "Raise the pool from {size} connections towards what the server allows."
    - "Shorten what each request does while it holds a connection."
  matrix: {component: Connection pool, metric: connections busy, expected: "< 90%", actual: "{busy}"}
- id: db-lock-contention
  layer: database
  let:
    waiting: {fact: pg_sessions.mean, labels: {class: lock}}
    rate: requests.rate
  when: waiting / rate > 0.001
  cost: waiting / rate
  says: "Locks cost {waiting}."
  matrix: {component: Database, metric: sessions waiting for a lock, expected: "< 0.1", actual: "{waiting}"}
- id: host-cpu
  layer: host
  let: {busy: host_cpu_busy_ratio.mean}
  matrix: {component: Host, metric: processors busy, expected: "< 85%", actual: "{busy}"}
)";

// Numbers that look measured and are the same every time.
class Noise {
 public:
  double next() {  // 0 to 1
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0;
  }

 private:
  uint64_t state_ = 7;
};

class Sample {
 public:
  explicit Sample(const SampleOptions& options) : options_(options) {}

  store::RunData run() {
    header();
    machine();
    if (options_.load) load();
    if (options_.database) database();
    cost_of_watching();
    records();
    return std::move(run_);
  }

 private:
  std::string marked(const std::string& name) const { return name + options_.suffix; }

  int64_t at(double seconds) const {
    return kStarted + static_cast<int64_t>(seconds * static_cast<double>(kSecond));
  }
  double planned_s() const { return options_.warmup_s + options_.steady_s + options_.cooldown_s; }
  double seen_s() const {
    return options_.killed_after_s > 0 ? options_.killed_after_s : planned_s();
  }

  void header() {
    store::RunHeader& header = run_.header;
    header.id = "20261120T104512Z-7f3a";
    header.name = marked("shop-pool");
    header.started_unix_ms = 1795171512345;
    header.started_ns = kStarted;
    header.plan = {{"name", marked("shop-pool")},
                   {"target", {{"url", "http://127.0.0.1:18088"}, {"health", "/health"}}},
                   {"load",
                    {{"model", "closed"},
                     {"users", 16},
                     {"warmup", "2s"},
                     {"duration", "30s"},
                     {"requests", {{{"name", marked("report")}, {"path", "/report"}}}}}}};
    if (!options_.load) header.plan.erase("load");
    header.plan["slos"] = {
        {{"endpoint", marked("report")}, {"metric", "p95"}, {"limit", 0.05}, {"written", "50ms"}},
        {{"endpoint", ""}, {"metric", "error_rate"}, {"limit", 0.01}, {"written", "1%"}}};
    header.environment = {{"kernel", marked("6.1.0-28-amd64")},
                          {"processors", 2},
                          {"plumb_version", "0.1.0"},
                          {"memory_bytes", 8'322'306'048}};
    header.rules = {{{"origin", "sample/rules.yaml"}, {"text", kRules}}};
    const double steady = options_.warmup_s;
    const double cooldown = steady + options_.steady_s;
    run_.stages = {{PLUMB_STAGE_WARMUP, "warmup", at(0), at(steady)},
                   {PLUMB_STAGE_STEADY, marked("steady"), at(steady), at(cooldown)},
                   {PLUMB_STAGE_COOLDOWN, "cooldown", at(cooldown), at(planned_s())}};
    if (options_.stages) split_steady(steady, options_.steady_s / 4.0);
    run_.state =
        options_.killed_after_s > 0 ? store::RunState::kRunning : store::RunState::kFinished;
    run_.ended_ns = at(seen_s());
  }

  void split_steady(double from, double each) {
    const StageSpan warmup = run_.stages.front();
    const StageSpan cooldown = run_.stages.back();
    run_.stages = {
        warmup,
        {PLUMB_STAGE_STEADY, marked("quiet"), at(from), at(from + each)},
        {PLUMB_STAGE_RAMP, marked("climb"), at(from + each), at(from + 2 * each)},
        {PLUMB_STAGE_SPIKE, marked("sale"), at(from + 2 * each), at(from + 3 * each)},
        {PLUMB_STAGE_STEADY, marked("after the sale"), at(from + 3 * each), at(from + 4 * each)},
        cooldown};
  }

  store::SeriesData& declare(const std::string& plugin, const std::string& name, uint32_t kind,
                             const std::string& unit, uint32_t layer, Labels labels) {
    store::SeriesData series;
    series.info.id = static_cast<uint32_t>(run_.series.size() + 1);
    series.info.plugin = plugin;
    series.info.name = name;
    series.info.unit = unit;
    series.info.kind = kind;
    series.info.layer = layer;
    series.info.labels = std::move(labels);
    run_.series.push_back(std::move(series));
    return run_.series.back();
  }

  using Shape = std::function<double(double)>;  // of seconds since the run began

  void gauge(const std::string& plugin, const std::string& name, const std::string& unit,
             uint32_t layer, const Labels& labels, const Shape& shape, double every_s = 1) {
    store::SeriesData& series = declare(plugin, name, PLUMB_KIND_GAUGE, unit, layer, labels);
    const double until =
        plugin == "pg_stats" && options_.dark_after_s > 0 ? options_.dark_after_s : seen_s();
    for (double t = every_s; t <= until + 1e-9; t += every_s) {
      series.times_ns.push_back(at(t));
      series.values.push_back(shape(t));
    }
  }

  // `rate` is its growth per second.
  void counter(const std::string& plugin, const std::string& name, const std::string& unit,
               uint32_t layer, const Labels& labels, const Shape& rate) {
    store::SeriesData& series = declare(plugin, name, PLUMB_KIND_COUNTER, unit, layer, labels);
    const double until =
        plugin == "pg_stats" && options_.dark_after_s > 0 ? options_.dark_after_s : seen_s();
    double total = 1000;
    for (double t = 0; t <= until + 1e-9; ++t) {
      series.times_ns.push_back(at(t));
      series.values.push_back(total);
      total += rate(t);
    }
  }

  // One record a second of `count` values around `typical` seconds, with a tail.
  void histogram(const std::string& name, const Labels& labels, double typical, double spread,
                 int count) {
    const size_t index = run_.series.size();
    declare("http_load", name, PLUMB_KIND_HISTOGRAM, "seconds", PLUMB_LAYER_CLIENT, labels);
    for (double t = 0; t + 1 <= seen_s() + 1e-9; ++t) {
      HistogramRecord record{run_.series[index].info.id, at(t), at(t + 1), Histogram()};
      for (int i = 0; i < count; ++i) {
        const double tail = noise_.next() > 0.985 ? 1 + noise_.next() : 1;
        const double seconds = typical * tail + spread * (noise_.next() - 0.5);
        record.histogram.record(static_cast<uint64_t>(std::max(seconds, 0.0) * 1e9));
      }
      if (count > 0) run_.series[index].histograms.push_back(std::move(record));
    }
  }

  void load() {
    const std::string report = marked("report");
    histogram("http_response_seconds", {{"endpoint", report}, {"outcome", "ok"}}, 0.079, 0.006,
              200);
    histogram("http_response_seconds", {{"endpoint", report}, {"outcome", "failed"}}, 0.5, 0.1, 1);
    histogram("http_service_seconds", {{"endpoint", report}, {"outcome", "ok"}}, 0.079, 0.006, 200);
    histogram("http_response_seconds", {{"endpoint", "list"}, {"outcome", "ok"}}, 0.0021, 0.001,
              20);
    histogram("http_service_seconds", {{"endpoint", "list"}, {"outcome", "ok"}}, 0.0021, 0.001, 20);
    for (const char* phase : {"lag", "queue", "dns", "tls"})
      histogram("http_phase_seconds", {{"endpoint", report}, {"phase", phase}}, 0, 0, 200);
    histogram("http_phase_seconds", {{"endpoint", report}, {"phase", "connect"}}, 0.00008, 0, 200);
    histogram("http_phase_seconds", {{"endpoint", report}, {"phase", "send"}}, 0.00005, 0, 200);
    histogram("http_phase_seconds", {{"endpoint", report}, {"phase", "transfer"}}, 0.0001, 0, 200);
    histogram("http_phase_seconds", {{"endpoint", report}, {"phase", "wait"}}, 0.0785, 0.006, 200);
    const auto of_load = [&](const char* name, const char* unit, double rate) {
      counter("http_load", name, unit, PLUMB_LAYER_CLIENT, {}, [rate](double) { return rate; });
    };
    of_load("http_scheduled_total", "requests", 221);
    of_load("http_started_total", "requests", 221);
    of_load("generator_cpu_seconds_total", "seconds", 0.04);
    of_load("generator_runqueue_seconds_total", "seconds", 0.002);
    gauge("http_load", "http_in_flight", "requests", PLUMB_LAYER_CLIENT, {},
          [](double t) { return std::min(16.0, 8 * t); });
  }

  void machine() {
    const auto wave = [](double t) { return std::sin(t / 3); };
    gauge("host_metrics", "host_cpus", "1", PLUMB_LAYER_HOST, {}, [](double) { return 2; });
    gauge("host_metrics", "host_cpu_busy_ratio", "ratio", PLUMB_LAYER_HOST, {},
          [=, this](double t) { return 0.34 + 0.03 * wave(t) + 0.02 * noise_.next(); });
    gauge("host_metrics", "host_runnable", "1", PLUMB_LAYER_HOST, {},
          [this](double) { return 1 + std::floor(2 * noise_.next()); });
    counter("host_metrics", "target_cpu_seconds_total", "seconds", PLUMB_LAYER_APP, {},
            [=](double t) { return 0.16 + 0.01 * wave(t); });
    counter("host_metrics", "target_runqueue_seconds_total", "seconds", PLUMB_LAYER_APP, {},
            [=](double t) { return 0.04 + 0.01 * wave(t); });
    gauge("host_metrics", "target_busiest_thread_ratio", "ratio", PLUMB_LAYER_APP, {},
          [=](double t) { return 0.16 + 0.02 * wave(t); });
    gauge("host_metrics", "target_runnable_threads", "1", PLUMB_LAYER_APP, {},
          [](double) { return 1; });
    gauge("host_metrics", "target_resident_bytes", "bytes", PLUMB_LAYER_APP, {},
          [](double t) { return 41.0e6 + 20e3 * t; });
    gauge("host_metrics", "host_memory_available_bytes", "bytes", PLUMB_LAYER_HOST, {},
          [](double t) { return 5.6e9 - 1e5 * t; });
    gauge(
        "host_metrics", "downstream_awaiting", "1", PLUMB_LAYER_DOWNSTREAM,
        {{"peer", marked("127.0.0.1:9411")}}, [this](double) { return 0.05 * noise_.next(); }, 0.5);
  }

  void database() {
    const auto sessions = [&](const char* name, double typical) {
      gauge(
          "pg_stats", "pg_sessions", "1", PLUMB_LAYER_DATABASE, {{"class", name}},
          [=, this](double) { return typical * (0.9 + 0.2 * noise_.next()); }, 0.5);
    };
    sessions("cpu", 0.2);
    sessions("sleep", 1.6);
    sessions("client", 0.19);
    for (const char* none : {"lock", "lwlock", "commit", "io", "ipc", "other"}) sessions(none, 0);
    sessions("idle_in_transaction", 0);
    sessions("idle", 0.01);
    gauge("pg_stats", "pg_client_connections", "1", PLUMB_LAYER_DATABASE, {},
          [](double) { return 2; });
    counter("pg_stats", "pg_active_seconds_total", "seconds", PLUMB_LAYER_DATABASE, {},
            [](double) { return 1.8; });
    counter("pg_stats", "pg_backend_cpu_seconds_total", "seconds", PLUMB_LAYER_DATABASE, {},
            [](double) { return 0.2; });
    const json statements = {
        {"title", marked("Statements by time")},
        {"columns",
         {{{"key", "statement"}, {"title", marked("Statement")}},
          {{"key", "calls"}, {"title", "Calls"}},
          {{"key", "seconds"}, {"title", "Time"}, {"unit", "seconds"}}}},
        {"rows",
         {{marked("select pg_sleep($1), total from report where shop = $2"), 6054, 48.4},
          {"select id, name from item order by id limit $1", 612, 0.31},
          {"begin", 6054, nullptr}}}};
    run_.tables.push_back({"pg_stats", run_.ended_ns, "pg_statements", json_text(statements)});
  }

  void cost_of_watching() {
    for (const char* plugin : {"http_load", "host_metrics", "pg_stats"}) {
      counter("engine", "plumb_cpu_seconds_total", "seconds", PLUMB_LAYER_NONE,
              {{"plugin", plugin}}, [](double) { return 0.004; });
      gauge("engine", "plumb_resident_bytes", "bytes", PLUMB_LAYER_NONE, {{"plugin", plugin}},
            [](double) { return 7.5e6; });
      counter("engine", "plumb_dropped_total", "1", PLUMB_LAYER_NONE, {{"plugin", plugin}},
              [](double) { return 0; });
    }
  }

  void records() {
    run_.health.push_back({"host_metrics", at(0.1), PLUMB_HEALTH_OK, ""});
    if (options_.dark_after_s > 0)
      run_.health.push_back({"pg_stats", at(options_.dark_after_s), PLUMB_HEALTH_DARK,
                             marked("the server closed the connection")});
    run_.events.push_back({"engine", at(0.01), PLUMB_INFO, "target-started",
                           marked("The target answered its health check."), R"({"pid": 4711})"});
    run_.events.push_back({"pg_stats", at(0.5), PLUMB_WARNING, marked("no-pg-stat-statements"),
                           marked("pg_stat_statements is not loaded."), ""});
    if (options_.load) {
      const json errors = {{"title", "Failed requests"},
                           {"columns",
                            {{{"key", "endpoint"}, {"title", "Endpoint"}},
                             {{"key", "class"}, {"title", "Class"}},
                             {{"key", "status"}, {"title", "Status"}},
                             {{"key", "count"}, {"title", "Count"}},
                             {{"key", "example"}, {"title", "Example"}}}},
                           {"rows",
                            {{marked("report"), "status", "503", options_.steady_s,
                              marked("no connection free within 500 ms")}}}};
      run_.tables.push_back({"http_load", run_.ended_ns, "http_errors", json_text(errors)});
    }
    const json host = {
        {"title", "Host"},
        {"columns", {{{"key", "key"}, {"title", "Key"}}, {{"key", "value"}, {"title", "Value"}}}},
        {"rows", json::array({json::array({"processor", marked("Example CPU @ 2.4 GHz")})})}};
    run_.tables.push_back({"host_metrics", run_.ended_ns, "host", json_text(host)});
    if (options_.analysis)
      run_.documents["analysis"] = {
          {"model", marked("example-model")},
          {"summary", marked("The pool of two connections limits this service.")},
          {"claims",
           {{{"text", "Requests take 79 ms on average."}, {"evidence_ids", {"F1", "F2"}}}}}};
  }

  const SampleOptions options_;
  Noise noise_;
  store::RunData run_;
};

}  // namespace

store::RunData sample_run(const SampleOptions& options) {
  store::RunData run = Sample(options).run();
  if (options.profiles) run.stacks = sample_stacks(run, options.suffix);
  return run;
}

}  // namespace plumb::testing
