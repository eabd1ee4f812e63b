// The whole plugin through its C entry, with a host that keeps what it is told and a server on
// loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>

#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "plugins/http_load/collecting_host.h"
#include "plugins/http_load/loopback_server.h"

extern "C" const plumb_plugin* plumb_plugin_entry_v1(void);

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr int64_t kMs = 1'000'000;

json request(const std::string& name, const std::string& method = "GET",
             const std::string& path = "/") {
  return {{"name", name}, {"method", method}, {"path", path}, {"weight", 1}};
}

json closed_load(int users, json requests = json::array({request("home")})) {
  return {{"model", "closed"},         {"users", users}, {"think_ns", 0},
          {"timeout_ns", 2'000 * kMs}, {"seed", 1},      {"requests", std::move(requests)}};
}

json open_load(double rate) {
  return {{"model", "open"},
          {"rate", rate},
          {"timeout_ns", 2'000 * kMs},
          {"seed", 1},
          {"requests", json::array({request("home")})}};
}

// One run of the plugin against `url`, through `milliseconds` of warm-up and of steady load.
struct PluginRun {
  PluginRun(const std::string& url, const json& load, int64_t warmup_ms, int64_t steady_ms) {
    configure(url, load);
    drive(warmup_ms, steady_ms);
  }
  // For a run that is interrupted: drive() is called later.
  PluginRun(const std::string& url, const json& load) { configure(url, load); }
  ~PluginRun() { plugin->destroy(self); }
  PluginRun(const PluginRun&) = delete;
  PluginRun& operator=(const PluginRun&) = delete;

  void configure(const std::string& url, const json& load) {
    ASSERT_EQ(plugin->create(host.abi(), &self, &error), PLUMB_OK) << error.message;
    const std::string document = json{
        {"run", {{"id", "r"}, {"name", "t"}}},
        {"target", {{"url", url}}},
        {"load", load}}.dump();
    plumb_config config{};
    config.struct_size = sizeof(config);
    config.document = document.c_str();
    ASSERT_EQ(plugin->configure(self, &config, &error), PLUMB_OK) << error.message;
    ASSERT_EQ(plugin->start(self, &error), PLUMB_OK) << error.message;
  }
  void drive(int64_t warmup_ms, int64_t steady_ms) {
    start_ns = monotonic_ns();
    boundary_ns = start_ns + warmup_ms * kMs;
    end_ns = boundary_ns + steady_ms * kMs;
    const plumb_stage stages[] = {
        {sizeof(plumb_stage), PLUMB_STAGE_WARMUP, "warmup", start_ns, boundary_ns},
        {sizeof(plumb_stage), PLUMB_STAGE_STEADY, "steady", boundary_ns, end_ns}};
    ASSERT_EQ(plugin->drive(self, stages, 2, &error), PLUMB_OK) << error.message;
    returned_ns = monotonic_ns();
    ASSERT_EQ(plugin->stop(self, monotonic_ns() + 1'000 * kMs, &error), PLUMB_OK) << error.message;
    EXPECT_THAT(host.logs, testing::IsEmpty());
    expect_everything_accounted_for();
  }
  // On any thread.
  void interrupt() {
    interrupted_ns = monotonic_ns();
    plugin->interrupt(self);
  }

  void expect_everything_accounted_for() const {
    EXPECT_EQ(host.last("http_scheduled_total{}"),
              host.last("http_started_total{}") + host.last("http_shed_total{}"));
    EXPECT_EQ(host.last("http_started_total{}"),
              host.total("http_requests_total{") + host.last("http_in_flight{}"));
    for (const auto& [name, list] : host.histograms)
      if (name.starts_with("http_phase_seconds{endpoint=home")) {
        EXPECT_EQ(host.count(name), host.count("http_response_seconds{endpoint=home,outcome=ok}"))
            << name;
      }
    EXPECT_EQ(host.sum("http_phase_seconds{"), ok_response_sum());
  }
  uint64_t ok_response_sum() const {
    uint64_t out = 0;
    for (const auto& [name, list] : host.histograms)
      if (name.starts_with("http_response_seconds{") && name.ends_with("outcome=ok}"))
        for (const Histogram& h : list) out += h.sum();
    return out;
  }
  double failures(const std::string& why, const std::string& status = "0") const {
    return host.last("http_requests_total{endpoint=home,status=" + status + ",error=" + why + "}");
  }

  CollectingHost host;
  const plumb_plugin* plugin = plumb_plugin_entry_v1();
  void* self = nullptr;
  plumb_error error{.struct_size = sizeof(plumb_error), .message = {}};
  int64_t start_ns = 0, boundary_ns = 0, end_ns = 0, returned_ns = 0;
  std::atomic<int64_t> interrupted_ns{0};
};

TEST(HttpLoad, ClosedUsersKeepTheirConnections) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  const PluginRun run(server.url(), closed_load(4), 300, 900);
  const double done = run.host.total("http_requests_total{");
  EXPECT_GT(done, 4);
  EXPECT_EQ(run.failures("", "200"), done);
  EXPECT_EQ(run.host.last("http_connections_opened_total{}"), 4);
  EXPECT_EQ(run.host.last("load_users{}"), 4);
  EXPECT_EQ(run.host.last("http_in_flight{}"), 0);
  const double head = static_cast<double>(ok_with("hello").size());
  EXPECT_EQ(run.host.last("http_received_bytes_total{}"), done * head);
  EXPECT_GT(run.host.last("generator_cpu_seconds_total{}"), 0);
  EXPECT_EQ(run.host.count("http_phase_seconds{"), 8 * static_cast<uint64_t>(done));
  EXPECT_TRUE(run.host.tables.empty());
  EXPECT_EQ(server.connections(), 4u);
  double sent = 0;
  for (const std::string& r : server.requests()) sent += static_cast<double>(r.size());
  EXPECT_EQ(run.host.last("http_sent_bytes_total{}"), sent);
}

TEST(HttpLoad, CutsHistogramsAtTheStageBoundary) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  const PluginRun run(server.url(), closed_load(2), 250, 250);
  const auto& spans = run.host.spans.at("http_response_seconds{endpoint=home,outcome=ok}");
  ASSERT_GE(spans.size(), 2u);
  EXPECT_EQ(spans[0], (std::pair{run.start_ns, run.boundary_ns}));
  EXPECT_EQ(spans[1], (std::pair{run.boundary_ns, run.end_ns}));
  std::vector<int64_t> stamps;
  for (const plumb_sample& s : run.host.values.at("http_scheduled_total{}"))
    stamps.push_back(s.time_ns);
  EXPECT_THAT(stamps, testing::IsSupersetOf({run.start_ns, run.boundary_ns, run.end_ns}));
  const auto& outcome = run.host.values.at("http_requests_total{endpoint=home,status=200,error=}");
  EXPECT_EQ(outcome.front().time_ns, run.start_ns);
  EXPECT_EQ(outcome.front().value, 0);
}

TEST(HttpLoad, OpenLoadSendsWhatIsDue) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  const PluginRun run(server.url(), open_load(200), 300, 700);
  EXPECT_NEAR(run.host.last("http_scheduled_total{}"), 200, 1);
  EXPECT_EQ(run.host.last("http_started_total{}"), run.host.last("http_scheduled_total{}"));
  EXPECT_EQ(run.host.last("load_target_rate{}"), 200);
  EXPECT_EQ(run.host.last("load_users{}"), -1) << "closed model only";
}

TEST(HttpLoad, OpenLoadWaitsInTheQueueWhenConnectionsAreFew) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  json load = open_load(200'000);  // more than one connection can carry
  load["connections"] = 1;
  const PluginRun run(server.url(), load, 100, 200);
  const uint64_t queue = run.host.sum("http_phase_seconds{endpoint=home,phase=queue}");
  EXPECT_GT(queue, run.ok_response_sum() / 2);
  EXPECT_GT(run.host.last("http_shed_total{}"), 0) << "what still waited at the end";
  EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpLoad, SendsMethodBodyHeadersAndTrace) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("")}; });
  json post = request("post", "POST", "/orders?a=%20b/../c");
  post["headers"] = json::array(
      {json::array({"Content-Type", "application/json"}), json::array({"X-Empty", ""})});
  post["body"] = "{\"item\":7}";
  json load = closed_load(1, {post, request("put", "PUT", "/p"), request("head", "HEAD", "/h"),
                              request("delete", "DELETE", "/d")});
  load["bearer"] = "t0ken";
  load["think_ns"] = kMs;
  const PluginRun run(server.url(), load, 100, 200);
  std::map<std::string, std::string> by_line;
  std::string traces;
  for (const std::string& r : server.requests()) {
    by_line[r.substr(0, r.find("\r\n"))] = r;
    const size_t at = r.find("\r\ntraceparent: 00-");
    ASSERT_NE(at, std::string::npos) << r;
    EXPECT_EQ(traces.find(r.substr(at, 70)), std::string::npos) << "each request has its own";
    traces += r.substr(at, 70);
  }
  ASSERT_EQ(by_line.size(), 4u) << testing::PrintToString(by_line);
  const std::string& sent = by_line["POST /orders?a=%20b/../c HTTP/1.1"];
  EXPECT_THAT(sent, HasSubstr("\r\nAuthorization: Bearer t0ken\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nUser-Agent: plumb/0.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nContent-Length: 10\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nX-Empty:\r\n"));
  EXPECT_THAT(sent, testing::EndsWith("\r\n\r\n{\"item\":7}"));
  EXPECT_THAT(sent, testing::Not(HasSubstr("Expect")));
  EXPECT_THAT(by_line["PUT /p HTTP/1.1"], HasSubstr("\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(by_line["PUT /p HTTP/1.1"], testing::Not(HasSubstr("Content-Type")));
  EXPECT_THAT(by_line["DELETE /d HTTP/1.1"], testing::Not(HasSubstr("Content-Length")));
  EXPECT_TRUE(by_line.contains("HEAD /h HTTP/1.1"));
}

TEST(HttpLoad, ReadsServerTiming) {
  LoopbackServer server([](const std::string&) {
    return Reply{ok_with("hello",
                         "Server-Timing: db;dur=2.5;desc=\"a, b\", miss\r\n"
                         "server-timing: app;dur=1\r\n")};
  });
  const PluginRun run(server.url(), closed_load(1), 100, 200);
  const auto done = static_cast<uint64_t>(run.failures("", "200"));
  EXPECT_EQ(run.host.count("http_server_timing_seconds{endpoint=home,name=db}"), done);
  EXPECT_EQ(run.host.sum("http_server_timing_seconds{endpoint=home,name=db}"), done * 2'500'000);
  EXPECT_EQ(run.host.sum("http_server_timing_seconds{endpoint=home,name=app}"), done * 1'000'000);
}

TEST(HttpLoad, CallsAClosedPortRefused) {
  std::string url;
  {
    url = LoopbackServer([](const std::string&) { return Reply{}; }).url();
  }
  json load = closed_load(2);
  load["think_ns"] = 10 * kMs;
  const PluginRun run(url, load, 100, 300);
  EXPECT_GE(run.failures("refused"), 2);
  EXPECT_EQ(run.failures("refused"), run.host.total("http_requests_total{"));
  EXPECT_EQ(run.host.last("http_connections_opened_total{}"), 0);
  EXPECT_EQ(run.host.count("http_service_seconds{"), 0u);
  const json& table = run.host.tables.at("http_errors");
  ASSERT_EQ(table["rows"].size(), 1u);
  EXPECT_EQ(table["rows"][0][0], "home");
  EXPECT_EQ(table["rows"][0][1], "refused");
  EXPECT_EQ(table["rows"][0][2], 0);
  EXPECT_EQ(table["rows"][0][3], run.failures("refused"));
  EXPECT_THAT(table["rows"][0][4].get<std::string>(), HasSubstr("connect"));
}

TEST(HttpLoad, StaysStoppableWhileEverythingIsRefusedAtOnce) {
  std::string url;
  {
    url = LoopbackServer([](const std::string&) { return Reply{}; }).url();
  }
  PluginRun run(url, closed_load(8));
  run.host.on_histogram = [&] { run.interrupt(); };
  run.drive(200, 60'000);
  EXPECT_LT(run.returned_ns - run.interrupted_ns, 2'000 * kMs);
}

TEST(HttpLoad, CallsACutConnectionReset) {
  for (const Reply& reply :
       {Reply{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", Reply::kClose},
        Reply{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", Reply::kReset},
        Reply{"", Reply::kClose}, Reply{"", Reply::kReset}}) {
    LoopbackServer server([&](const std::string&) { return reply; });
    json load = closed_load(1);
    load["think_ns"] = 5 * kMs;
    const PluginRun run(server.url(), load, 50, 100);
    EXPECT_GE(run.failures("reset"), 1) << reply.bytes << reply.after;
    EXPECT_EQ(run.failures("reset"), run.host.total("http_requests_total{"))
        << run.host.tables.at("http_errors").dump();
  }
}

TEST(HttpLoad, CallsWhatIsNoHttpProtocol) {
  for (const char* bytes : {"hello there, this is no HTTP at all\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"}) {
    LoopbackServer server([&](const std::string&) { return Reply{bytes, Reply::kClose}; });
    json load = closed_load(1);
    load["think_ns"] = 5 * kMs;
    const PluginRun run(server.url(), load, 50, 100);
    EXPECT_GE(run.failures("protocol"), 1) << bytes;
    EXPECT_EQ(run.failures("protocol"), run.host.total("http_requests_total{"))
        << run.host.tables.at("http_errors").dump();
  }
}

TEST(HttpLoad, EndsARequestAtItsTimeout) {
  LoopbackServer server([](const std::string&) { return Reply{}; });
  json load = closed_load(3);
  load["timeout_ns"] = 100 * kMs;
  const PluginRun run(server.url(), load, 100, 450);
  EXPECT_GE(run.failures("timeout"), 3);
  EXPECT_EQ(run.failures("timeout"), run.host.total("http_requests_total{"));
  for (const Histogram& h :
       run.host.histograms.at("http_response_seconds{endpoint=home,outcome=failed}"))
    EXPECT_GE(h.minimum(), static_cast<uint64_t>(100 * kMs));
  EXPECT_THAT(run.host.tables.at("http_errors")["rows"][0][4].get<std::string>(),
              HasSubstr("within 100 ms, while waiting for the first byte"));
}

TEST(HttpLoad, CountsAnErrorStatusAsFailedUnlessExpected) {
  LoopbackServer server([](const std::string& r) {
    return Reply{r.starts_with("GET /missing") ? "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
                                               : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"};
  });
  json missing = request("missing", "GET", "/missing");
  missing["expect"] = {404};
  const PluginRun run(server.url(), closed_load(1, {request("home"), missing}), 100, 200);
  EXPECT_GT(run.failures("", "500"), 0);
  EXPECT_EQ(run.host.count("http_response_seconds{endpoint=home,outcome=failed}"),
            static_cast<uint64_t>(run.failures("", "500")));
  EXPECT_GT(run.host.count("http_response_seconds{endpoint=missing,outcome=ok}"), 0u);
  EXPECT_EQ(run.host.count("http_response_seconds{endpoint=missing,outcome=failed}"), 0u);
  EXPECT_EQ(run.host.tables.at("http_errors")["rows"][0][4], "GET / answered 500");
}

TEST(HttpLoad, FollowsNoRedirect) {
  LoopbackServer server([](const std::string&) {
    return Reply{"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"};
  });
  const PluginRun run(server.url(), closed_load(1), 50, 100);
  EXPECT_GT(run.failures("", "302"), 0);
  for (const std::string& r : server.requests()) EXPECT_TRUE(r.starts_with("GET / "));
}

TEST(HttpLoad, SurvivesConnectionsThatTheServerClosesBetweenRequests) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello"), Reply::kClose}; });
  json load = closed_load(2);
  load["think_ns"] = 5 * kMs;
  const PluginRun run(server.url(), load, 100, 300);
  EXPECT_EQ(run.failures("", "200"), run.host.total("http_requests_total{"));
  EXPECT_EQ(run.host.last("http_connections_opened_total{}"),
            static_cast<double>(server.connections()));
  EXPECT_GT(server.connections(), 2u);
}

TEST(HttpLoad, DiscardsLargeBodies) {
  const std::string body(3'000'000, 'x');
  LoopbackServer server([&](const std::string&) { return Reply{ok_with(body)}; });
  const PluginRun run(server.url(), closed_load(2), 100, 300);
  EXPECT_EQ(run.host.last("http_received_bytes_total{}"),
            run.failures("", "200") * static_cast<double>(ok_with(body).size()));
}

TEST(HttpLoad, ReturnsSoonWhenInterrupted) {
  std::atomic<PluginRun*> driven{nullptr};
  int received = 0;
  LoopbackServer server([&](const std::string&) {
    if (++received == 5) driven.load()->interrupt();  // on the server's thread
    return Reply{};
  });
  PluginRun run(server.url(), closed_load(5));
  driven = &run;
  run.drive(5'000, 60'000);
  server.connections();  // its thread has ended: interrupt has returned before destroy
  EXPECT_LT(run.returned_ns - run.interrupted_ns, 2'000 * kMs);
  EXPECT_EQ(run.host.last("http_in_flight{}"), 5) << "outstanding, in the last partial interval";
  EXPECT_EQ(run.host.last("http_started_total{}"), 5);
}

TEST(HttpLoad, SaysWhatIsWrongWithAPlan) {
  const plumb_plugin* plugin = plumb_plugin_entry_v1();
  CollectingHost host;
  plumb_error error{};
  error.struct_size = sizeof(error);
  void* self = nullptr;
  ASSERT_EQ(plugin->create(host.abi(), &self, &error), PLUMB_OK);
  plumb_config config{};
  config.struct_size = sizeof(config);
  config.document = R"({"target": {"url": "http://127.0.0.1:1"}, "load": {"users": 1}})";
  EXPECT_EQ(plugin->configure(self, &config, &error), PLUMB_INVALID_ARGUMENT);
  EXPECT_THAT(error.message, HasSubstr("load.requests is empty"));
  EXPECT_EQ(plugin->stop(self, 0, &error), PLUMB_OK) << "legal without start";
  plugin->destroy(self);
}

}  // namespace
}  // namespace plumb::http_load
