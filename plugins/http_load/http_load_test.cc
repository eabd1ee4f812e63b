// The plugin against a real server on loopback.
#include <map>
#include <set>
#include <vector>

#include "plugins/http_load/loopback_server.h"
#include "plugins/http_load/plugin_run.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// What the load of the test at hand is sent with.
std::string protocol_in_use;

class HttpLoadOver : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { protocol_in_use = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Protocol, HttpLoadOver, testing::Values("http1", "curl"),
                         [](const auto& protocol) { return protocol.param; });

json closed_load(int users, json requests = json::array({request("home")})) {
  json out = http_load::closed_load(protocol_in_use, users);
  out["requests"] = std::move(requests);
  return out;
}

json open_load(double rate) {
  return {{"protocol", protocol_in_use},
          {"model", "open"},
          {"rate", rate},
          {"timeout_ns", 2'000 * kMs},
          {"seed", 1},
          {"requests", json::array({request("home")})}};
}

TEST_P(HttpLoadOver, ClosedUsersKeepTheirConnections) {
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
  EXPECT_EQ(run.host.tables.count("http_errors"), 0u);
  EXPECT_EQ(server.connections(), 4u);
  double sent = 0;
  for (const std::string& r : server.requests()) sent += static_cast<double>(r.size());
  EXPECT_EQ(run.host.last("http_sent_bytes_total{}"), sent);
}

TEST_P(HttpLoadOver, CutsHistogramsAtTheStageBoundary) {
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

TEST_P(HttpLoadOver, OpenLoadSendsWhatIsDue) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  const PluginRun run(server.url(), open_load(200), 300, 700);
  EXPECT_NEAR(run.host.last("http_scheduled_total{}"), 200, 1);
  EXPECT_EQ(run.host.last("http_started_total{}"), run.host.last("http_scheduled_total{}"));
  EXPECT_EQ(run.host.last("load_target_rate{}"), 200);
  EXPECT_EQ(run.host.last("load_users{}"), -1) << "closed model only";
}

TEST_P(HttpLoadOver, TheSameSeedGivesTheSameSchedule) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  const auto hash_with = [&](int seed) {
    json load = open_load(300);
    load["arrivals"] = "poisson";
    load["seed"] = seed;
    load["requests"].push_back(request("other"));
    return PluginRun(server.url(), load, 50, 150).host.tables.at("http_schedule")["rows"][0][4];
  };
  const json hash = hash_with(7);
  EXPECT_EQ(hash.get<std::string>().size(), 16u);
  EXPECT_EQ(hash_with(7), hash);
  EXPECT_NE(hash_with(8), hash);
}

TEST_P(HttpLoadOver, SeveralWorkersShareOneScheduleAndAddUp) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  const auto run_with = [&](int workers) {
    json load = open_load(400);
    load["arrivals"] = "poisson";
    load["workers"] = workers;
    load["requests"].push_back(request("other"));
    const PluginRun run(server.url(), load, 200, 400);
    const json& schedule = run.host.tables.at("http_schedule")["rows"][0];
    EXPECT_EQ(schedule[3], run.host.last("http_scheduled_total{}"));
    EXPECT_EQ(run.host.total("http_requests_total{"), run.host.last("http_scheduled_total{}"));
    return std::pair(schedule[3], schedule[4]);
  };
  EXPECT_EQ(run_with(1), run_with(3));
}

TEST_P(HttpLoadOver, NoTwoRequestsHaveTheSameTraceIds) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  json load = open_load(300);
  load["workers"] = 3;
  const PluginRun run(server.url(), load, 100, 200);
  std::set<std::string> traces;
  for (const std::string& head : server.requests()) {
    const size_t at = head.find("traceparent: ");
    ASSERT_NE(at, std::string::npos);
    EXPECT_TRUE(traces.insert(head.substr(at, head.find("\r\n", at) - at)).second);
  }
  EXPECT_GT(traces.size(), 50u);
}

TEST_P(HttpLoadOver, EveryScheduledRequestOfAnEndpointHasAnEnding) {
  LoopbackServer server([](const std::string& head) {
    return Reply{head.starts_with("GET /bad") ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
                                              : ok_with("hello")};
  });
  json load = open_load(300);
  load["requests"].push_back(request("bad", "GET", "/bad"));
  const PluginRun run(server.url(), load, 100, 300);
  const json& rows = run.host.tables.at("http_endings")["rows"];
  ASSERT_EQ(rows.size(), 2u);
  for (const json& row : rows)
    EXPECT_EQ(row[1].get<int>(),
              row[2].get<int>() + row[3].get<int>() + row[4].get<int>() + row[5].get<int>());
  EXPECT_GT(rows[0][2].get<int>(), 0);
  EXPECT_EQ(rows[1][2].get<int>(), 0);
  EXPECT_GT(rows[1][3].get<int>(), 0);
}

TEST_P(HttpLoadOver, FollowsTheStagesOfThePlan) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  json load = open_load(0);
  load["stages"] = {{{"model", "open"}, {"from", 0}, {"to", 200}},
                    {{"model", "closed"}, {"from", 2}, {"to", 2}}};
  load["pacing_ns"] = 100 * kMs;
  const PluginRun run(server.url(), load, 500, 500);
  // 50 arrivals on the way to 200/s; then two users, ten times a second for half a second.
  EXPECT_EQ(run.host.last("http_scheduled_total{}"), 50 + 10);
  EXPECT_EQ(run.host.last("load_users{}"), 2);
}

TEST_P(HttpLoadOver, AbortsALoadThatPassesALimitOfThePlan) {
  LoopbackServer server(
      [](const std::string&) { return Reply{"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"}; });
  json load = closed_load(2);
  load["abort"] = {{"error_rate", 0.5}, {"over", 1'000 * kMs}};
  const PluginRun run(server.url(), load, 1'000, 20'000);
  EXPECT_LT(run.returned_ns - run.start_ns, 5'000 * kMs);
  ASSERT_EQ(run.host.events.size(), 1u);
  EXPECT_THAT(run.host.events[0], HasSubstr("load-aborted: load.abort: 100% of the requests"));
}

TEST_P(HttpLoadOver, OpenLoadWaitsInTheQueueWhenConnectionsAreFew) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello")}; });
  json load = open_load(200'000);  // more than one connection can carry
  load["connections"] = 1;
  const PluginRun run(server.url(), load, 100, 200);
  const uint64_t queue = run.host.sum("http_phase_seconds{endpoint=home,phase=queue}");
  EXPECT_GT(queue, run.ok_response_sum() / 2);
  EXPECT_GT(run.host.last("http_shed_total{}"), 0) << "what still waited at the end";
  EXPECT_EQ(server.connections(), 1u);
}

TEST_P(HttpLoadOver, SendsMethodBodyHeadersAndTrace) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("")}; });
  json post = request("post", "POST", "/orders?a=%20b/../c");
  post["headers"] = json::array(
      {json::array({"Content-Type", "application/json"}), json::array({"X-Empty", ""})});
  post["body"] = "{\"item\":7}";
  json load = closed_load(1, {post, request("put", "PUT", "/p"), request("head", "HEAD", "/h"),
                              request("delete", "DELETE", "/d")});
  load["bearer"] = "t0ken";
  load["think_ns"] = kMs;
  const PluginRun run(server.url(), load, 100, 1000);
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

TEST_P(HttpLoadOver, ReadsServerTiming) {
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

TEST_P(HttpLoadOver, CallsAClosedPortRefused) {
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

TEST_P(HttpLoadOver, StaysStoppableWhileEverythingIsRefusedAtOnce) {
  std::string url;
  {
    url = LoopbackServer([](const std::string&) { return Reply{}; }).url();
  }
  PluginRun run(url, closed_load(8));
  run.host.on_histogram = [&] { run.interrupt(); };
  run.drive(200, 60'000);
  EXPECT_LT(run.returned_ns - run.interrupted_ns, 2'000 * kMs);
}

TEST_P(HttpLoadOver, CallsACutConnectionReset) {
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

TEST_P(HttpLoadOver, CallsWhatIsNoHttpProtocol) {
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

TEST_P(HttpLoadOver, EndsARequestAtItsTimeout) {
  LoopbackServer server([](const std::string&) { return Reply{}; });
  json load = closed_load(3);
  load["timeout_ns"] = 100 * kMs;
  const PluginRun run(server.url(), load, 100, 450);
  EXPECT_GE(run.failures("timeout_wait"), 3);
  EXPECT_EQ(run.failures("timeout_wait"), run.host.total("http_requests_total{"));
  for (const Histogram& h :
       run.host.histograms.at("http_response_seconds{endpoint=home,outcome=failed}"))
    EXPECT_GE(h.minimum(), static_cast<uint64_t>(100 * kMs));
  EXPECT_THAT(run.host.tables.at("http_errors")["rows"][0][4].get<std::string>(),
              HasSubstr("within 100 ms, while waiting for the first byte"));
}

TEST_P(HttpLoadOver, CountsAnErrorStatusAsFailedUnlessExpected) {
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

TEST_P(HttpLoadOver, FollowsNoRedirect) {
  LoopbackServer server([](const std::string&) {
    return Reply{"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"};
  });
  const PluginRun run(server.url(), closed_load(1), 50, 100);
  EXPECT_GT(run.failures("", "302"), 0);
  for (const std::string& r : server.requests()) EXPECT_TRUE(r.starts_with("GET / "));
}

TEST_P(HttpLoadOver, SurvivesConnectionsThatTheServerClosesBetweenRequests) {
  LoopbackServer server([](const std::string&) { return Reply{ok_with("hello"), Reply::kClose}; });
  json load = closed_load(2);
  load["think_ns"] = 5 * kMs;
  const PluginRun run(server.url(), load, 100, 300);
  EXPECT_EQ(run.failures("", "200"), run.host.total("http_requests_total{"));
  EXPECT_EQ(run.host.last("http_connections_opened_total{}"),
            static_cast<double>(server.connections()));
  EXPECT_GT(server.connections(), 2u);
}

TEST_P(HttpLoadOver, DiscardsLargeBodies) {
  const std::string body(3'000'000, 'x');
  LoopbackServer server([&](const std::string&) { return Reply{ok_with(body)}; });
  const PluginRun run(server.url(), closed_load(2), 100, 300);
  EXPECT_EQ(run.host.last("http_received_bytes_total{}"),
            run.failures("", "200") * static_cast<double>(ok_with(body).size()));
}

TEST_P(HttpLoadOver, ReturnsSoonWhenInterrupted) {
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

TEST_P(HttpLoadOver, SaysWhatIsWrongWithAPlan) {
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
