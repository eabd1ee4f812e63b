#include "core/engine/load_document.h"

#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>

namespace plumb::engine {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

plan::Plan a_plan() {
  plan::Plan plan;
  plan.name = "shop";
  plan.target.url = "http://127.0.0.1:8080";
  plan.target.host = "127.0.0.1";
  plan.target.port = 8080;
  plan.load.model = plan::LoadModel::kOpen;
  plan.load.rate = 200;
  plan.load.think = milliseconds(100);
  plan.load.bearer = "t0ken";
  plan::Request& request = plan.load.requests.emplace_back();
  request.name = "checkout";
  request.method = "POST";
  request.path = "/checkout";
  request.weight = 3;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = R"({"item":7})";
  request.expect = {201};
  return plan;
}

TEST(LoadDocumentTest, TheLoadDriverGetsTheWholeLoad) {
  const json document =
      json::parse(configure_document(a_plan(), "id", PLUMB_ROLE_LOAD, json::object()));
  EXPECT_EQ(document["load"], json::parse(R"({
    "model": "open", "rate": 200.0, "users": 0, "spawn_rate": 0.0, "think_ns": 100000000,
    "pacing_ns": 0, "stages": [], "replay": "", "replay_speed": 1.0, "workers": 1,
    "warmup_ns": 2000000000, "duration_ns": 10000000000, "cooldown_ns": 1000000000,
    "timeout_ns": 10000000000, "connections": 0, "arrivals": "constant",
    "protocol": "auto", "seed": 1, "bearer": "t0ken",
    "requests": [{"name": "checkout", "method": "POST", "path": "/checkout", "weight": 3.0,
                  "headers": [["Content-Type", "application/json"]], "body": "{\"item\":7}",
                  "expect": [201]}]})"));
}

TEST(LoadDocumentTest, WhatOnlyTheLoadDriverReadsStandsBesideTheRest) {
  plan::Plan plan = a_plan();
  plan.load.protocol = "http2";
  plan.load.extra = {{"streams", 32}};
  const json load =
      json::parse(configure_document(plan, "id", PLUMB_ROLE_LOAD, json::object()))["load"];
  EXPECT_EQ(load["streams"], 32);
  EXPECT_EQ(load["protocol"], "http2");
}

TEST(LoadDocumentTest, NobodyElseSeesTheLoad) {
  const json document =
      json::parse(configure_document(a_plan(), "id", PLUMB_ROLE_SAMPLER, {{"interval", 5}}));
  EXPECT_FALSE(document.contains("load"));
  EXPECT_EQ(document["run"], (json{{"id", "id"}, {"name", "shop"}}));
  EXPECT_EQ(document["target"], (json{{"url", "http://127.0.0.1:8080"},
                                      {"host", "127.0.0.1"},
                                      {"port", 8080},
                                      {"process", json::object()}}));
  EXPECT_EQ(document["options"], (json{{"interval", 5}}));
}

TEST(LoadDocumentTest, TheProcessIsWhatThePlanSelectsOrWhatPlumbStarts) {
  plan::Plan plan = a_plan();
  const auto process = [&] {
    return json::parse(
        configure_document(plan, "id", PLUMB_ROLE_SAMPLER, json::object()))["target"]["process"];
  };
  plan.target.start = {"shop"};
  EXPECT_EQ(process(), (json{{"port", 8080}}));
  plan.target.process.name = "node";
  plan.target.process.pid = 7;
  EXPECT_EQ(process(), (json{{"name", "node"}, {"pid", 7}}));
}

}  // namespace
}  // namespace plumb::engine
