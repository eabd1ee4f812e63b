#include "plugins/http_load/load_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace plumb::http_load {
namespace {

using nlohmann::json;

json closed_plan() {
  return json::parse(R"({
    "run": {"id": "r1", "name": "shop"},
    "target": {"url": "http://127.0.0.1:8080", "host": "127.0.0.1", "port": 8080},
    "load": {"model": "closed", "users": 20, "spawn_rate": 5, "think_ns": 1000,
             "timeout_ns": 2000, "connections": 0, "seed": 9, "bearer": "s3cret",
             "requests": [{"name": "orders", "method": "POST", "path": "/orders", "weight": 3,
                           "headers": [["X-A", "b"]], "body": "{}", "expect": [201, 404]}]}})");
}

Status status_of(const json& plan) { return parse_load_plan(plan.dump(), 0).status(); }

TEST(LoadPlan, TakesWhatThePlanSays) {
  const auto plan = parse_load_plan(closed_plan().dump(), 0);
  ASSERT_TRUE(plan.is_ok()) << plan.status().message();
  EXPECT_EQ(plan->run_id, "r1");
  EXPECT_EQ(plan->url, "http://127.0.0.1:8080");
  EXPECT_EQ(plan->users, 20);
  EXPECT_EQ(plan->spawn_rate, 5);
  EXPECT_EQ(plan->think_ns, 1000);
  EXPECT_EQ(plan->timeout_ns, 2000);
  EXPECT_EQ(plan->seed, 9u);
  ASSERT_EQ(plan->requests.size(), 1u);
  const Request& request = plan->requests[0];
  EXPECT_EQ(request.name, "orders");
  EXPECT_EQ(request.weight, 3);
  EXPECT_EQ(request.headers, (decltype(request.headers){{"X-A", "b"}}));
  EXPECT_TRUE(request.succeeds_with(404));
  EXPECT_FALSE(request.succeeds_with(200));
}

TEST(LoadPlan, SizesTheConnections) {
  json plan = closed_plan();
  const auto connections = [&](int64_t option) {
    return parse_load_plan(plan.dump(), option)->connections;
  };
  EXPECT_EQ(connections(0), 20) << "one per user";
  EXPECT_EQ(connections(4), 4);
  EXPECT_EQ(connections(100), 20) << "never more than users";
  plan["load"]["model"] = "open";
  plan["load"]["rate"] = 100.5;
  EXPECT_EQ(connections(0), 512);
  EXPECT_EQ(connections(100), 100);
  plan["load"]["connections"] = 7;
  EXPECT_EQ(connections(100), 7) << "the plan's own figure goes first";
}

TEST(LoadPlan, SizesTheConnectionsOfHttp2ByTheRequestsTheyCarry) {
  json plan = closed_plan();
  plan["load"]["protocol"] = "http2";
  const auto parsed = [&] { return parse_load_plan(plan.dump(), 0).value(); };
  EXPECT_EQ(parsed().protocol, Protocol::kHttp2);
  EXPECT_EQ(parsed().streams, 100);
  EXPECT_EQ(parsed().connections, 1) << "for twenty users";
  plan["load"]["streams"] = 6;
  EXPECT_EQ(parsed().connections, 4);
  plan["load"]["connections"] = 3;
  EXPECT_EQ(parsed().connections, 3);
  plan["load"]["connections"] = 0;
  plan["load"]["streams"] = 100;
  plan["load"]["model"] = "open";
  plan["load"]["rate"] = 100;
  EXPECT_EQ(parsed().connections, 6) << "as many requests in flight as over HTTP/1.1";
  plan["load"]["protocol"] = "http1";
  EXPECT_EQ(parsed().streams, 1);
  EXPECT_EQ(parsed().connections, 512);
}

TEST(LoadPlan, CountsStatusesBelow400AsSuccessUnlessToldOtherwise) {
  EXPECT_TRUE(Request{}.succeeds_with(200));
  EXPECT_TRUE(Request{}.succeeds_with(302));
  EXPECT_FALSE(Request{}.succeeds_with(404));
}

TEST(LoadPlan, RefusesWhatCannotBeSent) {
  const auto refuses = [](const json& pointer_and_value, const char* sentence) {
    json plan = closed_plan();
    plan[json::json_pointer(pointer_and_value[0].get<std::string>())] = pointer_and_value[1];
    const Status status = status_of(plan);
    EXPECT_EQ(status.code(), PLUMB_INVALID_ARGUMENT) << pointer_and_value;
    EXPECT_THAT(status.message(), testing::HasSubstr(sentence)) << pointer_and_value;
  };
  refuses({"/target/url", "ftp://127.0.0.1"}, "target.url must begin with http://");
  refuses({"/target/url", "http://u:p@127.0.0.1"}, "must not hold a user");
  refuses({"/target/url", "http://127.0.0.1/path"}, "without a path");
  refuses({"/load/model", "ramp"}, "load.model");
  refuses({"/load/protocol", "http3"},
          "load.protocol must be auto, http1, http2, curl, jsonrpc or mcp");
  refuses({"/load/streams", 0}, "load.streams must be 1 to 100000");
  refuses({"/load/users", 0}, "load.users");
  refuses({"/load/users", "many"}, "wrong type");
  refuses({"/load/timeout_ns", 0}, "load.timeout");
  refuses({"/load/requests", json::array()}, "load.requests is empty");
  refuses({"/load/requests/0/path", "orders"}, "load.requests[0].path must begin with /");
  refuses({"/load/requests/0/path", "/a b"}, "hold no spaces");
  refuses({"/load/requests/0/path", "/a\r\nX: y"}, "path");
  refuses({"/load/requests/0/method", "GET /"}, "method");
  refuses({"/load/requests/0/weight", 0}, "weight");
  refuses({"/load/requests/0/headers/0/1", "a\r\nHost: b"}, "control character");
  refuses({"/load/requests/0/headers/0/0", "A B"}, "name that HTTP does not allow");
  refuses({"/load/requests/0/expect", json::array({99})}, "expect");
  refuses({"/load/requests/1", closed_plan()["load"]["requests"][0]}, "two requests named orders");
}

TEST(LoadPlan, RefusesARateThatIsNone) {
  json plan = closed_plan();
  plan["load"]["model"] = "open";
  EXPECT_THAT(status_of(plan).message(), testing::HasSubstr("load.rate"));
  plan["load"]["rate"] = 1e9;
  EXPECT_THAT(status_of(plan).message(), testing::HasSubstr("load.rate"));
}

TEST(LoadPlan, NeverRepeatsASecret) {
  json plan = closed_plan();
  plan["load"]["bearer"] = "s3cret\n";
  EXPECT_FALSE(status_of(plan).is_ok());
  EXPECT_THAT(status_of(plan).message(), testing::Not(testing::HasSubstr("s3cret")));
  plan["load"]["bearer"] = json::array({"s3cret"});
  EXPECT_FALSE(status_of(plan).is_ok());
  EXPECT_THAT(status_of(plan).message(), testing::Not(testing::HasSubstr("s3cret")));
}

TEST(LoadPlan, RefusesTextThatIsNoJson) {
  EXPECT_EQ(parse_load_plan("{", 0).status().code(), PLUMB_INVALID_ARGUMENT);
  EXPECT_EQ(parse_load_plan("[]", 0).status().code(), PLUMB_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace plumb::http_load
