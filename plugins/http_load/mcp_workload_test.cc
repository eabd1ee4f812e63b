// MCP and JSON-RPC against answers that no SDK gives.
#include "plugins/http_load/mcp_workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <set>

#include "plugins/http_load/loopback_server.h"
#include "plugins/http_load/mcp_discovery.h"
#include "plugins/http_load/rpc_workload.h"
#include "plugins/http_load/workload_player.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

json body_in(const std::string& request) {
  const size_t end = request.find("\r\n\r\n");
  const json out = json::parse(request.substr(end + 4), nullptr, false);
  return out.is_discarded() ? json::object() : out;
}

std::string json_answer(const json& id, const json& result, const std::string& headers = {}) {
  const json answer = {{"jsonrpc", "2.0"}, {"id", id}, {"result", result}};
  return ok_with(answer.dump(), "Content-Type: application/json\r\n" + headers);
}

std::string error_answer(const std::string& status, const json& id, int code) {
  const std::string body =
      json{{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", "no"}}}}.dump();
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::string chunk(const std::string& bytes) {
  char size[20];
  std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

// A stream of one event, which ends or stays open.
std::string streamed(const json& answer, const std::string& after, bool ends) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
         "chunked\r\n\r\n" +
         chunk("id: 1\ndata:\n\n") + chunk("data: " + answer.dump() + "\n\n") +
         (after.empty() ? "" : chunk(after)) + (ends ? "0\r\n\r\n" : "");
}

// What a server with one tool `t` answers, but for tools/call, which `on_call` answers.
using OnCall = std::function<Reply(const json& message, const std::string& request)>;
LoopbackServer::Handler with_tool(const OnCall& on_call,
                                  const json& schema = {{"type", "object"}}) {
  return [=](const std::string& request) {
    const json message = body_in(request);
    const std::string method = message.value("method", "");
    const json id = message.value("id", json());
    if (method == "initialize")
      return Reply{json_answer(id, {{"protocolVersion", "2025-06-18"}}, "mcp-session-id: s1\r\n")};
    if (method == "notifications/initialized" || request.starts_with("DELETE"))
      return Reply{"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"};
    if (method == "tools/list")
      return Reply{
          json_answer(id, {{"tools", json::array({{{"name", "t"}, {"inputSchema", schema}}})}})};
    return on_call(message, request);
  };
}

const json kCallsOfT = {{"protocol", "mcp"}, {"requests", {{{"tool", "t"}}}}};
json without_session(json load) {
  load["mcp"]["session"] = "never";
  return load;
}

// Discovers and plays; what the test looks at stays.
struct Played {
  Played(const std::string& url, const json& load, uint64_t iterations, int users = 1)
      : plan(rpc_plan(url, load, users).value()), found(discover_mcp(plan, clock, stop)) {
    EXPECT_TRUE(found.is_ok()) << found.message();
    if (!found.is_ok()) return;
    workload.emplace(plan, 0);
    player.emplace(plan, *workload);
    player->play(iterations);
  }
  const WorkloadPlayer::Done& call() const { return player->first("tools/call t"); }

  MonotonicClock clock;
  StopFlag stop;
  LoadPlan plan;
  Status found;
  std::optional<McpWorkload> workload;
  std::optional<WorkloadPlayer> player;
};

Reply fine(const json& message, const std::string&) {
  return Reply{json_answer(message["id"], {{"content", json::array()}})};
}

TEST(McpWorkload, GreetsOnceAndGoesOnWithTheSession) {
  LoopbackServer server(with_tool(fine));
  const Played played(server.url(), kCallsOfT, 3);
  const auto& requests = server.requests();
  ASSERT_EQ(requests.size(), 9u) << "four of the discovery, two greetings, three calls";
  const std::string& greeting = requests[4];
  EXPECT_THAT(greeting,
              AllOf(HasSubstr("POST /mcp HTTP/1.1\r\n"),
                    HasSubstr("\r\nAccept: application/json, text/event-stream\r\n"),
                    HasSubstr("\r\nContent-Type: application/json\r\n"),
                    Not(HasSubstr("MCP-Protocol-Version")), Not(HasSubstr("Mcp-Session-Id"))));
  EXPECT_EQ(body_in(greeting)["params"],
            json::parse(R"({"protocolVersion": "2025-11-25", "capabilities": {},
                            "clientInfo": {"name": "plumb", "version": "0.1"}})"));
  for (size_t i = 5; i < 9; ++i)
    EXPECT_THAT(requests[i], AllOf(HasSubstr("\r\nMcp-Session-Id: s1\r\n"),
                                   HasSubstr("\r\nMCP-Protocol-Version: 2025-06-18\r\n")));
  EXPECT_EQ(body_in(requests[5]),
            json::parse(R"({"jsonrpc": "2.0", "method": "notifications/initialized"})"));
  std::set<json> ids;
  for (size_t i = 6; i < 9; ++i) ids.insert(body_in(requests[i])["id"]);
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_THAT(requests[3], HasSubstr("DELETE /mcp")) << "the discovery ends its session";
}

TEST(McpWorkload, WithoutSessionsEachRequestSaysEverything) {
  const json schema = json::parse(R"({"type": "object", "required": ["region", "n", "in"],
      "properties": {"region": {"type": "string", "const": "s\u00fcd", "x-mcp-header": "Region"},
                     "n": {"type": "integer", "const": 7, "x-mcp-header": "N"},
                     "absent": {"type": "boolean", "x-mcp-header": "Absent"},
                     "in": {"type": "object", "required": ["b"], "properties":
                            {"b": {"type": "boolean", "const": true, "x-mcp-header": "B"}}}}})");
  LoopbackServer server(with_tool(fine, schema));
  const Played played(server.url(), without_session(kCallsOfT), 1);
  EXPECT_EQ(played.call().error, ErrorClass::kNone);
  const auto& requests = server.requests();
  ASSERT_EQ(requests.size(), 3u) << "a probe, a list, a call; no greeting";
  const std::string& call = requests[2];
  EXPECT_THAT(call,
              AllOf(HasSubstr("\r\nMCP-Protocol-Version: 2026-07-28\r\n"),
                    HasSubstr("\r\nMcp-Method: tools/call\r\n"), HasSubstr("\r\nMcp-Name: t\r\n"),
                    HasSubstr("\r\nMcp-Param-N: 7\r\n"), HasSubstr("\r\nMcp-Param-B: true\r\n"),
                    HasSubstr("\r\nMcp-Param-Region: =?base64?c8O8ZA==?=\r\n"),
                    Not(HasSubstr("Mcp-Param-Absent")), Not(HasSubstr("Session"))));
  EXPECT_EQ(body_in(call)["params"]["_meta"],
            json::parse(R"({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                            "io.modelcontextprotocol/clientInfo":
                                {"name": "plumb", "version": "0.1"},
                            "io.modelcontextprotocol/clientCapabilities": {}})"));
  EXPECT_THAT(requests[1], AllOf(HasSubstr("\r\nMcp-Method: tools/list\r\n"),
                                 Not(HasSubstr("Mcp-Name")), HasSubstr("clientCapabilities")));
}

TEST(McpWorkload, AServerThatKnowsNoGreetingIsSpokenToWithout) {
  const auto handler = with_tool(fine);
  LoopbackServer server([&](const std::string& request) {
    const json message = body_in(request);
    if (message.value("method", "") == "initialize")
      return Reply{error_answer("404 Not Found", message["id"], -32601)};
    return handler(request);
  });
  const Played played(server.url(), kCallsOfT, 2);
  EXPECT_FALSE(played.plan.rpc.dialect.initializes);
  EXPECT_EQ(played.plan.rpc.dialect.revision, "2026-07-28");
  EXPECT_EQ(played.call().error, ErrorClass::kNone);
}

TEST(McpWorkload, JudgesAnswers) {
  json result;
  std::string whole;  // instead of a result
  LoopbackServer server(with_tool([&](const json& message, const std::string&) {
    return Reply{whole.empty() ? json_answer(message["id"], result) : whole};
  }));
  const auto judged = [&] {
    const Played played(server.url(), kCallsOfT, 1);
    return std::pair(played.call().error, played.call().detail);
  };
  using E = ErrorClass;
  result = {{"isError", false}, {"resultType", "complete"}};
  EXPECT_EQ(judged(), std::pair(E::kNone, std::string()));
  result = {{"isError", true}};
  EXPECT_EQ(judged(), std::pair(E::kTool, std::string("the tool says that it failed")));
  result = {{"isError", true}, {"content", {{{"type", "text"}, {"text", "no\x1b[1m disk"}}}}};
  EXPECT_EQ(judged(), std::pair(E::kTool, std::string("the tool says: no [1m disk")));
  result = {{"resultType", "input_required"}};
  EXPECT_EQ(judged(), std::pair(E::kTool, std::string("the result is not complete: resultType is "
                                                      "input_required")));
  whole = error_answer("200 OK", nullptr, -32602);
  EXPECT_EQ(judged(), std::pair(E::kRpc, std::string("error -32602: no")));
  whole = error_answer("400 Bad Request", nullptr, -32020);
  EXPECT_EQ(judged(), std::pair(E::kRpc, std::string("error -32020: no")));
  whole = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno";
  EXPECT_EQ(judged(), std::pair(E::kNone, std::string())) << "its status is its failure";
  whole = ok_with("<html>");
  EXPECT_EQ(judged(), std::pair(E::kProtocol, std::string("the answer is no JSON: <html>")));
  whole = streamed({{"id", 999}, {"result", json::object()}}, "", true);
  EXPECT_EQ(judged(),
            std::pair(E::kProtocol, std::string("the stream of events ended without the answer")));
}

TEST(McpWorkload, LeavesAStreamThatGoesOnAfterTheAnswer) {
  LoopbackServer server(with_tool([](const json& message, const std::string&) {
    const json answer = {{"id", message["id"]}, {"result", json::object()}};
    return Reply{streamed(answer, ": ping\n", false)};
  }));
  const Played played(server.url(), kCallsOfT, 3);
  for (const auto& one : played.player->done) {
    EXPECT_EQ(one.error, ErrorClass::kNone) << one.detail;
    EXPECT_LT(one.times.response_ns(), 1'000'000'000);
  }
}

TEST(McpWorkload, LearnsThatAServerLeavesItsStreamsOpen) {
  const auto handler = with_tool({});
  LoopbackServer server([&](const std::string& request) {
    const json message = body_in(request);
    const std::string method = message.value("method", "");
    if (method == "initialize" || method.starts_with("notifications") || method.empty())
      return handler(request);
    const json tools = {{"tools", json::array({{{"name", "t"}}})}};
    return Reply{streamed({{"id", message["id"]}, {"result", tools}}, "", false)};
  });
  const Played played(server.url(), kCallsOfT, 3);
  EXPECT_TRUE(played.plan.rpc.dialect.cuts_streams);
  for (const auto& one : played.player->done) {
    EXPECT_EQ(one.error, ErrorClass::kNone) << one.detail;
    EXPECT_LT(one.times.response_ns(), 1'000'000'000);
  }
}

TEST(McpWorkload, WaitsInVainOnceForAStreamThatStaysOpen) {
  LoopbackServer server(with_tool([](const json& message, const std::string&) {
    return Reply{streamed({{"id", message["id"]}, {"result", json::object()}}, "", false)};
  }));
  json load = kCallsOfT;
  load["timeout_ns"] = 300'000'000;
  const Played played(server.url(), load, 5);
  int failed = 0;
  for (const auto& one : played.player->done) failed += one.error == ErrorClass::kNone ? 0 : 1;
  EXPECT_EQ(failed, 1) << "its tools/list was no stream, so the first call had to show it";
  EXPECT_EQ(played.call().error, ErrorClass::kTimeoutTransfer);
}

TEST(McpWorkload, TheSameSeedMakesTheSameRequests) {
  const json schema = {{"required", {"a", "b"}}};
  std::set<std::string> first, second;
  for (auto* bodies : {&first, &second}) {
    LoopbackServer server(with_tool(
        [bodies](const json& message, const std::string& request) {
          bodies->insert(message["params"].dump());
          return fine(message, request);
        },
        schema));
    Played(server.url(), kCallsOfT, 20);
  }
  EXPECT_EQ(first.size(), 20u) << "each call has arguments of its own";
  EXPECT_EQ(first, second);
}

TEST(McpDiscovery, FollowsPagesAndMakesUpForFewTools) {
  LoopbackServer server([](const std::string& request) {
    const json message = body_in(request);
    const std::string method = message.value("method", "");
    if (method == "initialize")
      return Reply{json_answer(message["id"], {{"protocolVersion", "2025-11-25"}})};
    if (method != "tools/list") return Reply{"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"};
    const bool first = message.value("params", json::object()).value("cursor", "") != "next";
    const json page = {{"tools", json::array({{{"name", first ? "z" : "a"}}})}};
    json result = page;
    if (first) result["nextCursor"] = "next";
    return Reply{json_answer(message["id"], result)};
  });
  MonotonicClock clock;
  StopFlag stop;
  LoadPlan plan = rpc_plan(server.url(), {{"protocol", "mcp"}}).value();
  ASSERT_TRUE(discover_mcp(plan, clock, stop).is_ok());
  ASSERT_EQ(plan.requests.size(), 5u);
  const auto is = [&](size_t i, const char* name, double weight) {
    EXPECT_EQ(plan.requests[i].name, name);
    EXPECT_EQ(plan.requests[i].weight, weight);
  };
  is(0, "tools/call a", 40);
  is(1, "tools/call z", 30);
  is(2, "tools/list", 10);
  EXPECT_EQ(plan.requests[3].name, "initialize");
  EXPECT_EQ(plan.requests[4].name, "notifications/initialized");
}

TEST(McpDiscovery, SaysWhatKeepsItFromLoading) {
  std::string url;
  {
    url = LoopbackServer([](const std::string&) { return Reply{}; }).url();
  }
  MonotonicClock clock;
  StopFlag stop;
  const auto message = [&](const std::string& of, json load) {
    LoadPlan plan = rpc_plan(of, std::move(load)).value();
    return discover_mcp(plan, clock, stop).message();
  };
  EXPECT_THAT(message(url, kCallsOfT), AllOf(HasSubstr("the MCP server at " + url + "/mcp"),
                                             HasSubstr("does not answer: connecting")));
  LoopbackServer silent([](const std::string&) { return Reply{}; });
  json brief = kCallsOfT;
  brief["timeout_ns"] = 50'000'000;
  EXPECT_THAT(message(silent.url(), brief), HasSubstr("no complete answer"));
  LoopbackServer html([](const std::string&) { return Reply{ok_with("<html>")}; });
  EXPECT_THAT(message(html.url(), kCallsOfT),
              HasSubstr("answers initialize with HTTP 200, the answer is no JSON: <html>"));
  LoopbackServer old([](const std::string& request) {
    return Reply{json_answer(body_in(request)["id"], {{"protocolVersion", "1999\n"}})};
  });
  EXPECT_THAT(message(old.url(), kCallsOfT), HasSubstr("revision '1999 ', which is none"));
  LoopbackServer bad(with_tool(fine, json::parse(R"({"properties":
      {"a": {"type": "number", "x-mcp-header": "A"}}})")));
  EXPECT_THAT(message(bad.url(), without_session(kCallsOfT)),
              HasSubstr("load.requests[0].tool: the tool 't' has an x-mcp-header"));
}

TEST(RpcWorkload, CallsMethodsByWeightAndCountsErrorsInsideHttp200) {
  LoopbackServer server([](const std::string& request) {
    const json message = body_in(request);
    if (message["method"] == "fail") return Reply{error_answer("200 OK", message["id"], -32000)};
    return Reply{json_answer(message["id"], 3)};
  });
  const json load = {{"protocol", "jsonrpc"},
                     {"requests",
                      {{{"rpc", "add"}, {"params", {1, 2}}, {"path", "/rpc"}, {"weight", 3}},
                       {{"rpc", "fail"}, {"path", "/rpc"}}}}};
  const LoadPlan plan = rpc_plan(server.url(), load, 2).value();
  RpcWorkload workload(plan, 3);
  WorkloadPlayer player(plan, workload);
  player.play(400);
  EXPECT_NEAR(player.counts()["add"], 300, 26);
  for (const auto& one : player.done)
    EXPECT_EQ(one.error, one.endpoint == "fail" ? ErrorClass::kRpc : ErrorClass::kNone);
  EXPECT_EQ(player.first("fail").detail, "error -32000: no");
  EXPECT_EQ(player.connections, 2u);
  std::set<json> ids;
  for (const std::string& request : server.requests()) {
    const json message = body_in(request);
    ids.insert(message["id"]);
    EXPECT_THAT(request, HasSubstr("POST /rpc HTTP/1.1\r\n"));
    if (message["method"] == "add") {
      EXPECT_EQ(message["params"], json({1, 2}));
    }
  }
  EXPECT_EQ(ids.size(), 400u);
  EXPECT_GT(ids.begin()->get<uint64_t>(), uint64_t{3} << 43) << "apart from other workers'";
}

}  // namespace
}  // namespace plumb::http_load
