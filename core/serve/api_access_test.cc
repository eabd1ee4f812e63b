#include "core/serve/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/serve/served_api_for_tests.h"

namespace plumb::serve {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// ---- who may ask ----

TEST(ApiAccess, RefusesAForeignHostOnEveryRoute) {
  ServedApi served;
  for (const auto& [method, pattern] : Api::routes()) {
    TestClient client(served.port);
    client.send(method + " " + pattern +
                " HTTP/1.1\r\nHost: evil.example:" + std::to_string(served.port) + "\r\n\r\n");
    expect_problem(client.read_reply(), 403, "foreign-host");
  }
}

TEST(ApiAccess, RefusesAForeignOriginOnEveryRouteAndAnswersNoCors) {
  ServedApi served;
  for (const auto& [method, pattern] : Api::routes()) {
    const Reply reply = ask(served.port, method, pattern, "Origin: http://evil.example\r\n");
    expect_problem(reply, 403, "foreign-origin");
    EXPECT_EQ(reply.headers.count("access-control-allow-origin"), 0u);
  }
  expect_problem(ask(served.port, "OPTIONS", "/api/v1/runs", "Origin: http://evil.example\r\n"),
                 403, "foreign-origin");
}

TEST(ApiAccess, RefusesCrossSiteFetchesOnEveryRoute) {
  ServedApi served;
  for (const auto& [method, pattern] : Api::routes()) {
    expect_problem(ask(served.port, method, pattern, "Sec-Fetch-Site: cross-site\r\n"), 403,
                   "foreign-site");
  }
}

TEST(ApiAccess, AsksForTheTokenOnEveryRouteButHealth) {
  ApiOptions options;
  options.token = "0123456789abcdef";
  ServedApi served({}, options);
  for (const auto& [method, pattern] : Api::routes()) {
    const Reply reply = ask(served.port, method, pattern, "Content-Type: application/json\r\n");
    if (pattern == "/health") {
      EXPECT_EQ(reply.status, 200);
      continue;
    }
    expect_problem(reply, 401, "token-needed");
    EXPECT_EQ(reply.headers.at("www-authenticate"), "Bearer realm=\"plumbd\"");
  }
  EXPECT_EQ(served.get("/nowhere").status, 401) << "what there is is not told either";
  EXPECT_EQ(served.get("/metrics", "Authorization: Bearer 0123456789abcdef\r\n").status, 200);
}

TEST(ApiAccess, EveryAnswerTellsBrowsersToKeepOut) {
  ServedApi served;
  for (const char* path : {"/health", "/nowhere", "/openapi.json", "/api/v1/runs"}) {
    const Reply reply = served.get(path);
    EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(reply.headers.at("content-security-policy"),
              "default-src 'none'; frame-ancestors 'none'");
    EXPECT_EQ(reply.headers.at("cache-control"), "no-store");
  }
}

// ---- what is served ----

TEST(ApiAccess, NamesTheNearestPath) {
  ServedApi served;
  const Reply reply = served.get("/api/v1/run");
  expect_problem(reply, 404, "no-such-path");
  EXPECT_THAT(reply.body, HasSubstr("Did you mean '/api/v1/runs'?"));
  EXPECT_THAT(served.get(run_path("/reprot")).body, HasSubstr(run_path("/report")));
  expect_problem(served.get("/"), 404, "no-such-path");
  expect_problem(served.get("/api/v1/runs/"), 404, "no-such-path");
  expect_problem(served.get("/" + std::string(8000, 'x')), 404, "no-such-path");
}

TEST(ApiAccess, SaysWhichMethodsAPathTakes) {
  ServedApi served;
  const Reply reply = ask(served.port, "PUT", "/api/v1/runs");
  expect_problem(reply, 405, "method");
  EXPECT_EQ(reply.headers.at("allow"), "GET, HEAD, POST");
  EXPECT_EQ(ask(served.port, "POST", "/health").headers.at("allow"), "GET, HEAD");
  EXPECT_EQ(ask(served.port, "GET", run_path("/stop")).headers.at("allow"), "POST");
  EXPECT_EQ(ask(served.port, "OPTIONS", "/api/v1/runs").status, 405);
  EXPECT_EQ(ask(served.port, "BREW", "/api/v1/runs").status, 405);
}

TEST(ApiAccess, TakesJsonAndYamlOnly) {
  ServedApi served;
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded"}) {
    for (const char* path : {"/api/v1/runs", "/api/v1/plans/validate"}) {
      expect_problem(served.post(path, type, kPlan), 415, "content-type");
    }
  }
  expect_problem(served.post(run_path("/stop"), "text/plain", "x"), 415, "content-type");
}

TEST(ApiAccess, AnswersHealth) {
  ServedApi served;
  EXPECT_EQ(json_of(served.get("/health")), json({{"status", "ok"}, {"version", "0.0.0"}}));
}

TEST(ApiAccess, CountsRequestsByRouteAndNeverByRun) {
  ServedApi served;
  served.get("/health");
  served.get(run_path());
  served.get("/nowhere");
  const Reply reply = served.get("/metrics");
  EXPECT_THAT(reply.headers.at("content-type"), HasSubstr("version=0.0.4"));
  for (const char* text : {"# TYPE plumb_http_requests_total counter",
                           "plumb_http_requests_total{code=\"200\",route=\"/health\"} 1",
                           "plumb_http_requests_total{code=\"404\",route=\"/api/v1/runs/{id}\"} 1",
                           "plumb_http_requests_total{code=\"404\",route=\"none\"} 1",
                           "plumb_http_request_duration_seconds_count{route=\"/health\"} 1",
                           "plumb_runs_total{state=\"finished\"} 0", "plumb_run_in_progress 0",
                           "process_cpu_seconds_total ", "process_resident_memory_bytes "}) {
    EXPECT_THAT(reply.body, HasSubstr(text));
  }
  EXPECT_THAT(reply.body, Not(HasSubstr(kRunId)));
  EXPECT_THAT(reply.body, Not(HasSubstr("plumb_run_requests_per_second")));
}

TEST(ApiAccess, ShowsLiveFiguresToPrometheusWhileTheyAreKnown) {
  ServedApi served;
  served.runs.begin();
  served.runs.set_numbers({{"requests_per_second", 49.5}, {"response_seconds", {{"p95", 0.25}}}});
  std::string text = served.get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("plumb_run_in_progress 1"));
  EXPECT_THAT(text, HasSubstr("plumb_run_requests_per_second 49.5"));
  EXPECT_THAT(text, HasSubstr("plumb_run_response_seconds{quantile=\"0.95\"} 0.25"));
  EXPECT_THAT(text, Not(HasSubstr("quantile=\"0.99\"")));
  served.runs.end({store::RunState::kInterrupted, ""});
  text = served.get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("plumb_runs_total{state=\"interrupted\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr("plumb_run_requests_per_second")));
}

TEST(ApiAccess, ListsPlugins) {
  ServedApi served;
  EXPECT_TRUE(json_of(served.get("/api/v1/plugins"))["plugins"].is_array());
}

}  // namespace
}  // namespace plumb::serve
