// Scenarios over a real transport against a real server on loopback: a small loop plays the driver.
#include "plugins/http_load/scenario_workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/http_load/http1_transport.h"
#include "plugins/http_load/loopback_server.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class RealClock final : public Clock {
 public:
  int64_t now_ns() const override {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }
};

LoadPlan plan_of(const std::string& url, json load) {
  load["model"] = "closed";
  if (!load.contains("users")) load["users"] = 1;
  auto plan = parse_load_plan(
      json{{"run", {{"id", "r"}}}, {"target", {{"url", url}}}, {"load", load}}.dump(), 0);
  EXPECT_TRUE(plan.is_ok()) << plan.status().message();
  return std::move(plan).value();
}

// What a driver does with one user, but for the schedule.
class OneUser final : public CompletionHandler {
 public:
  struct Done {
    std::string endpoint;
    int status;
    ErrorClass error;
    std::string detail;
    Timeline times;
    uint64_t sent_bytes;
    int64_t pause_ns;
  };

  OneUser(const LoadPlan& plan, const Authorization* authorization = nullptr)
      : plan_(plan),
        content_(compiled(plan)),
        workload_(*content_, authorization),
        transport_(opened(plan, clock_, stop_)) {}

  // One iteration; true when there was one.
  bool iterate(uint64_t draw = 1, bool fresh = false) {
    const Step first = workload_.begin(0, fresh, draw);
    if (first.endpoint == kNoEndpoint) return false;
    start(first, clock_.now_ns());
    while (transport_->in_flight() > 0) transport_->poll(clock_.now_ns() + 1'000'000'000, *this);
    return true;
  }
  const std::vector<Done>& done() const { return done_; }

 private:
  static std::unique_ptr<ScenarioContent> compiled(const LoadPlan& plan) {
    auto content = ScenarioContent::compile(plan);
    EXPECT_TRUE(content.is_ok()) << content.status().message();
    return std::move(content).value();
  }
  static std::unique_ptr<Transport> opened(const LoadPlan& plan, const Clock& clock,
                                           const StopFlag& stop) {
    return Http1Transport::open(plan, clock, stop).value();
  }
  void start(const Step& step, int64_t intended_ns) {
    transport_->start({step.endpoint, intended_ns, 0, 0, step.message, step.sink});
  }
  void on_completion(Completion& completion) override {
    const Next next = workload_.completed(completion);
    if (next.what != Next::What::kFollow)
      done_.push_back({plan_.requests[completion.endpoint].name, completion.status,
                       completion.error, std::string(completion.detail), completion.times,
                       completion.sent_bytes, next.pause_ns});
    if (next.what != Next::What::kDone) start(workload_.next(0), clock_.now_ns());
  }

  const LoadPlan& plan_;
  RealClock clock_;
  StopFlag stop_;
  std::unique_ptr<ScenarioContent> content_;
  ScenarioWorkload workload_;
  std::unique_ptr<Transport> transport_;
  std::vector<Done> done_;
};

std::string problem_of(const json& load) {
  json whole = load;
  whole["model"] = "closed";
  whole["users"] = 1;
  const auto plan =
      parse_load_plan(json{{"target", {{"url", "http://127.0.0.1:1"}}}, {"load", whole}}.dump(), 0);
  if (!plan.is_ok()) return plan.status().message();
  return ScenarioContent::compile(*plan).status().message();
}

std::string first_line(const std::string& request) {
  return request.substr(0, request.find(" HTTP"));
}
std::string header_of(const std::string& request, const std::string& name) {
  const size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "none";
  const size_t begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}
std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

std::string http_answer(const std::string& status, const std::string& headers,
                        const std::string& body = "") {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A shop where who buys must be logged in.
Reply shop(const std::string& request) {
  const std::string line = first_line(request);
  if (line == "POST /login")
    return {http_answer("200 OK", "Set-Cookie: sid=abc; Path=/\r\n",
                        R"({"data":{"token":"t/1","id":42}})")};
  if (line == "GET /items/42?q=t%2F1")
    return {http_answer("200 OK", "Location: /items/43\r\n", "<a href='next?id=77'>")};
  if (line == "POST /orders") return {http_answer("201 Created", "", R"({"ok":true})")};
  return {http_answer("404 Not Found", "")};
}

json shop_load() {
  return json::parse(R"json({
    "scenarios": [{"name": "buy", "steps": ["login", "item", "order"]}],
    "requests": [
      {"name": "login", "method": "POST", "path": "/login", "weight": 0, "body": "user={{user}}",
       "think": 5, "extract": {"token": "json:/data/token", "item": "json:/data/id"}},
      {"name": "item", "path": "/items/{{item}}?q={{token}}", "weight": 0,
       "headers": [["Authorization", "Bearer {{token}}"]],
       "extract": {"next": "regex:id=([0-9]+)", "place": "header:Location"
}
},
      {"name": "order", "method": "POST", "path": "/orders", "weight": 0, "json_body": true,
       "headers": [["Content-Type", "application/json"]],
       "body": "{\"item\":\"{{next|raw}}\",\"from\":\"{{place}}\",\"n\":\"{{iteration}}\"}",
       "checks": {"json": {"/ok": true}, "under": 5000000000}}]
})json");
}

TEST(Scenario, CarriesValuesAndCookiesFromStepToStep) {
  LoopbackServer server(shop);
  const LoadPlan plan = plan_of(server.url(), shop_load());
  EXPECT_TRUE(plan.scenario.needed);
  OneUser user(plan);
  ASSERT_TRUE(user.iterate());
  ASSERT_TRUE(user.iterate());
  ASSERT_EQ(user.done().size(), 6u);
  for (const auto& done : user.done()) EXPECT_EQ(done.detail, "") << done.endpoint;
  EXPECT_EQ(user.done()[0].pause_ns, 5);
  EXPECT_EQ(user.done()[2].pause_ns, 0);
  const auto& sent = server.requests();
  ASSERT_EQ(sent.size(), 6u);
  EXPECT_EQ(body_of(sent[0]), "user=0");
  EXPECT_EQ(header_of(sent[0], "Cookie"), "none");
  EXPECT_EQ(first_line(sent[1]), "GET /items/42?q=t%2F1");
  EXPECT_EQ(header_of(sent[1], "Authorization"), "Bearer t/1");
  EXPECT_EQ(header_of(sent[1], "Cookie"), "sid=abc");
  EXPECT_EQ(body_of(sent[2]), R"({"item":77,"from":"/items/43","n":"0"})");
  EXPECT_EQ(header_of(sent[2], "Content-Length"), std::to_string(body_of(sent[2]).size()));
  EXPECT_EQ(header_of(sent[3], "Cookie"), "sid=abc") << "a user keeps its cookies";
  EXPECT_EQ(body_of(sent[5]), R"({"item":77,"from":"/items/43","n":"1"})");
}

TEST(Scenario, ForgetsTheCookiesOfWhoWasHereBefore) {
  LoopbackServer server(shop);
  json load = shop_load();
  const LoadPlan plan = plan_of(server.url(), load);
  load["cookies"] = false;
  const LoadPlan without = plan_of(server.url(), load);
  OneUser(without).iterate();
  OneUser user(plan);
  user.iterate();
  user.iterate(1, /*fresh=*/true);
  const auto& sent = server.requests();
  ASSERT_EQ(sent.size(), 9u);
  EXPECT_EQ(header_of(sent[1], "Cookie"), "none");
  EXPECT_EQ(header_of(sent[4], "Cookie"), "sid=abc");
  EXPECT_EQ(header_of(sent[6], "Cookie"), "none");
}

TEST(Scenario, EndsWithTheFirstStepThatFails) {
  LoopbackServer server([](const std::string& request) {
    if (first_line(request) == "POST /login")
      return Reply{http_answer("200 OK", "", R"({"data":{"id":42}})")};
    return shop(request);
  });
  const LoadPlan plan = plan_of(server.url(), shop_load());
  OneUser user(plan);
  user.iterate();
  ASSERT_EQ(user.done().size(), 1u);
  EXPECT_EQ(user.done()[0].error, ErrorClass::kExtract);
  EXPECT_EQ(user.done()[0].detail, "extract token: the answer has no /data/token");
}

TEST(Scenario, FailsWhatItsChecksRefuse) {
  LoopbackServer server(
      [](const std::string&) { return Reply{http_answer("200 OK", "", "sorry")}; });
  json load = shop_load();
  load["requests"][0]["extract"] = json::object();
  load["requests"][0]["checks"] = {{"contains", "welcome"}};
  load["scenarios"][0]["steps"] = json::array({"login"});
  load["requests"][1] = {{"name", "item"}, {"path", "/"}, {"weight", 1e-9}};
  load["requests"].erase(2);
  const LoadPlan plan = plan_of(server.url(), load);
  OneUser user(plan);
  user.iterate();
  ASSERT_EQ(user.done().size(), 1u);
  EXPECT_EQ(user.done()[0].status, 200);
  EXPECT_EQ(user.done()[0].error, ErrorClass::kCheck);
  EXPECT_EQ(user.done()[0].detail,
            "check contains: no 'welcome' in the answer of 5 bytes, which begins 'sorry'");
}

TEST(Scenario, FollowsRedirectsAsOneRequest) {
  LoopbackServer server([](const std::string& request) {
    const std::string line = first_line(request);
    if (line == "POST /a") {
      usleep(20'000);
      return Reply{http_answer("302 Found", "Location: b?c=1\r\nSet-Cookie: x=y\r\n", "moved")};
    }
    if (line == "GET /b?c=1") {
      usleep(20'000);
      return Reply{http_answer("307 Temporary Redirect", "Location: /d\r\n")};
    }
    return Reply{http_answer("200 OK", "", "here")};
  });
  const LoadPlan plan = plan_of(server.url(), json::parse(R"({"cookies": true, "requests": [
      {"name": "a", "method": "POST", "path": "/a", "redirects": 2, "body": "text",
       "headers": [["Content-Type", "text/plain"], ["X-A", "b"]],
       "checks": {"contains": "here"}}]})"));
  OneUser user(plan);
  user.iterate();
  user.iterate();
  ASSERT_EQ(user.done().size(), 2u);
  const auto& done = user.done()[0];
  EXPECT_EQ(done.detail, "");
  EXPECT_EQ(done.status, 200);
  const auto phases = done.times.phases();
  int64_t sum = 0;
  for (const int64_t phase : phases) sum += phase;
  EXPECT_EQ(sum, done.times.response_ns());
  EXPECT_GE(phases[kWait], 40'000'000);
  EXPECT_LT(phases[kSend] + phases[kConnect], 20'000'000);
  const auto& sent = server.requests();
  ASSERT_EQ(sent.size(), 6u);
  EXPECT_EQ(done.sent_bytes, sent[0].size() + sent[1].size() + sent[2].size());
  EXPECT_EQ(first_line(sent[1]), "GET /b?c=1");
  EXPECT_EQ(body_of(sent[1]), "");
  EXPECT_EQ(header_of(sent[1], "Content-Type"), "none");
  EXPECT_EQ(header_of(sent[1], "X-A"), "b");
  EXPECT_EQ(header_of(sent[1], "Cookie"), "x=y");
  EXPECT_EQ(first_line(sent[2]), "GET /d");
  EXPECT_EQ(first_line(sent[3]), "POST /a");
  EXPECT_EQ(body_of(sent[3]), "text");
  EXPECT_EQ(header_of(sent[3], "Content-Type"), "text/plain");
}

TEST(Scenario, RefusesRedirectsThatLeadAwayOrOn) {
  LoopbackServer server([](const std::string& request) {
    const bool away = first_line(request) == "GET /away";
    return Reply{http_answer("302 Found",
                             away ? "Location: http://127.0.0.1:1/\r\n" : "Location: /round\r\n")};
  });
  const auto one = [&](const char* path, const char* more) {
    json request = json::parse(more);
    request["path"] = path;
    const LoadPlan plan = plan_of(server.url(), {{"requests", json::array({request})}});
    OneUser user(plan);
    user.iterate();
    EXPECT_EQ(user.done().size(), 1u);
    EXPECT_EQ(user.done()[0].status, 302);
    return user.done()[0].detail;
  };
  EXPECT_EQ(one("/round", R"({"redirects": 3})"), "redirected more than 3 times");
  EXPECT_THAT(one("/away", R"({"redirects": 3})"), HasSubstr("another origin: http://127.0.0.1:1"));
  EXPECT_EQ(one("/round", R"({"redirects": 3, "expect": [302]})"), "")
      << "302 is what was expected";
  EXPECT_EQ(server.requests().size(), 4u + 1u + 1u);
}

TEST(Scenario, DrawsRowsAndStopsWhereTheyAreUsedUp) {
  const std::string file =
      std::filesystem::temp_directory_path() / ("scenario-" + std::to_string(getpid()) + ".csv");
  std::ofstream(file) << "email,unused\na b@x.org,1\nc@x.org,2\n";
  LoopbackServer server([](const std::string&) { return Reply{http_answer("200 OK", "")}; });
  const LoadPlan plan = plan_of(
      server.url(),
      {{"feeders", json::array({{{"name", "users"}, {"file", file}, {"order", "once"}},
                                {{"name", "n"}, {"counter", {{"from", 7}}}}})},
       {"requests", json::array({{{"path", "/{{users.email}}/{{n}}/{{n}}?{{random(1,9)}}"}}})}});
  OneUser user(plan);
  EXPECT_TRUE(user.iterate(5));
  EXPECT_TRUE(user.iterate(5));
  EXPECT_FALSE(user.iterate(5));
  const auto& sent = server.requests();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_THAT(first_line(sent[0]), testing::StartsWith("GET /a%20b%40x.org/7/7?"));
  EXPECT_THAT(first_line(sent[1]), testing::StartsWith("GET /c%40x.org/8/8?"));
  EXPECT_EQ(first_line(sent[0]).back(), first_line(sent[1]).back()) << "the same draw";
  std::filesystem::remove(file);
}

TEST(Scenario, SendsPlainRequestsAsTheyWerePrepared) {
  const LoadPlan plan = plan_of("http://127.0.0.1:1", json::parse(R"({"cookies": true, "users": 2,
      "requests": [{"name": "a", "path": "/a", "weight": 3}, {"name": "b", "path": "/{{user}}"}]})"));
  const auto content = ScenarioContent::compile(plan);
  ScenarioWorkload workload(**content, nullptr, {.index = 1, .count = 3});
  int plain = 0;
  Random draws(1);
  for (int i = 0; i < 1'000; ++i) {
    const Step step = workload.begin(1, false, draws.next());
    EXPECT_EQ(step.message == nullptr, step.endpoint == 0);
    plain += step.message == nullptr ? 1 : 0;
  }
  EXPECT_NEAR(plain, 750, 60);
  const auto path_of = [&](uint32_t user) {
    for (;;)
      if (const Step step = workload.begin(user, true, draws.next()); step.message != nullptr)
        return step.message->path;
  };
  EXPECT_EQ(path_of(1), "/1");
  EXPECT_EQ(path_of(2), "/3") << "the first visitor, in the second of three workers";
  EXPECT_EQ(path_of(3), "/6");
}

class FixedToken final : public Authorization {
 public:
  void renew(uint64_t user, int64_t, Credential& mine) const override {
    mine.value = std::make_shared<const std::string>("Bearer of-" + std::to_string(user));
  }
};

TEST(Scenario, SendsTheTokenOfTheHourUnlessTheRequestHasItsOwn) {
  LoopbackServer server([](const std::string&) { return Reply{http_answer("200 OK", "")}; });
  const LoadPlan plan = plan_of(server.url(), json::parse(R"({
      "scenarios": [{"name": "s", "steps": ["a", "b"]}],
      "requests": [{"name": "a", "weight": 0},
                   {"name": "b", "weight": 0, "headers": [["authorization", "Basic x"]]}]})"));
  const FixedToken token;
  OneUser user(plan, &token);
  user.iterate();
  const auto& sent = server.requests();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(header_of(sent[0], "Authorization"), "Bearer of-0");
  EXPECT_EQ(header_of(sent[1], "authorization"), "Basic x");
  EXPECT_EQ(header_of(sent[1], "Authorization"), "none");
}

TEST(Scenario, ThatMakesNoSenseIsRefusedWithItsPlace) {
  const auto with = [](const char* patch) {
    json load = shop_load();
    load.merge_patch(json::parse(patch));
    return problem_of(load);
  };
  const auto request = [](const char* key, const json& value) {
    json load = shop_load();
    load["requests"][1][key] = value;
    return problem_of(load);
  };
  EXPECT_EQ(problem_of(shop_load()), "");
  EXPECT_EQ(with(R"({"scenarios": [{"name": "s", "steps": ["login", "itme", "order"]}]})"),
            "load.scenarios[0].steps names no request 'itme'. Did you mean 'item'?");
  EXPECT_THAT(
      with(R"({"scenarios": [{"name": "s", "steps": ["item", "login", "order"]}]})"),
      HasSubstr("load.scenarios[0].steps: 'item' takes {{item}}, which no request before it"));
  EXPECT_THAT(with(R"({"scenarios": [{"name": "s", "steps": []}]})"), HasSubstr("steps is empty"));
  EXPECT_THAT(with(R"({"scenarios": []})"),
              HasSubstr("load.requests[0].weight must be above zero"));
  EXPECT_EQ(request("path", "/items/{{itm}}"),
            "load.requests[1].path: column 10: there is no {{itm}}. Did you mean 'item'?");
  EXPECT_THAT(request("headers", json::array({json::array({"X-A", "{{token|x}}"})})),
              HasSubstr("load.requests[1].headers.X-A: column 3: there is no filter 'x'"));
  EXPECT_THAT(request("extract", {{"user", "json:/a"}}),
              HasSubstr("extract.user: {{user}} stands for"));
  EXPECT_THAT(request("extract", {{"a b", "json:/a"}}), HasSubstr("a name holds no blanks"));
  EXPECT_THAT(request("extract", {{"a", "jsn:/a"}}), HasSubstr("must be json:/pointer"));
  EXPECT_THAT(request("extract", {{"a", "regex:("}}), HasSubstr("no valid pattern"));
  EXPECT_THAT(request("weight", 1), HasSubstr("load.requests[1]: 'item' takes {{item}}"));
  EXPECT_THAT(request("redirects", 50), HasSubstr("must be 0 to 20"));
  EXPECT_THAT(with(R"({"feeders": [{"name": "token", "counter": {}}]})"),
              HasSubstr("another value is called token"));
  EXPECT_THAT(with(R"({"feeders": [{"name": "f", "file": "/none.csv"}]})"),
              HasSubstr("load.feeders[0]: /none.csv: No such file"));
  EXPECT_THAT(with(R"({"feeders": [{"name": "f"}]})"), HasSubstr("needs one of file, counter"));
}

TEST(Scenario, IsNoPartOfProtocolsThatMakeTheirOwnMessages) {
  EXPECT_THAT(problem_of(json::parse(R"({"protocol": "jsonrpc", "cookies": true,
                                         "requests": [{"name": "a", "rpc": "add"}]})")),
              HasSubstr("which are for requests of HTTP: load.protocol is jsonrpc"));
}

TEST(Scenario, TakesCredentialsThatStayTheSameIntoThePlan) {
  const auto plan = plan_of("http://127.0.0.1:1", json::parse(R"({
      "auth": {"type": "basic", "user": "ann", "password": "s3:cret"},
      "requests": [{"name": "a"}]})"));
  EXPECT_FALSE(plan.scenario.needed);
  EXPECT_EQ(plan.authorization, "Basic YW5uOnMzOmNyZXQ=");
  const auto bearer = plan_of("http://127.0.0.1:1", json::parse(R"({
      "auth": {"type": "bearer", "token": "t"}, "requests": [{"name": "a"}]})"));
  EXPECT_EQ(bearer.authorization, "Bearer t");
  const auto problem = [](const char* auth) {
    return problem_of({{"bearer", "x"},
                       {"auth", json::parse(auth)},
                       {"requests", json::array({{{"name", "a"}}})}});
  };
  EXPECT_THAT(problem(R"({"type": "bearer", "token": "s3cret"})"),
              AllOf(HasSubstr("both given"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(problem(R"({"type": "magic"})"), HasSubstr("load.auth.type must be"));
  EXPECT_THAT(problem(R"({"type": "jwt"})"), HasSubstr("load.auth.secret is missing"));
  EXPECT_THAT(problem(R"({"type": "oauth2", "client_id": "a"})"),
              HasSubstr("client_secret is missing"));
  EXPECT_THAT(problem(R"({"type": "bearer", "token": "s3\ncret"})"),
              AllOf(HasSubstr("control character"), Not(HasSubstr("cret"))));
}

}  // namespace
}  // namespace plumb::http_load
