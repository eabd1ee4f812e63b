#include "plugins/http_load/mcp_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/http_load/load_plan.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Result<LoadPlan> parsed_plan(json load) {
  load["model"] = "closed";
  load["users"] = 1;
  return parse_load_plan(json{{"target", {{"url", "http://127.0.0.1:1"}}}, {"load", load}}.dump(),
                         0);
}

TEST(McpPlan, MakesPostsOfCalls) {
  const auto plan = parsed_plan({{"protocol", "jsonrpc"},
                                 {"requests",
                                  {{{"rpc", "add"}, {"params", {1, 2}}, {"path", "/rpc"}},
                                   {{"rpc", "ping"},
                                    {"name", "alive"},
                                    {"headers", json::parse(R"([["accept", "x/y"]])")}}}}});
  ASSERT_TRUE(plan.is_ok()) << plan.status().message();
  const Request& add = plan->requests[0];
  EXPECT_EQ(add.name, "add");
  EXPECT_EQ(add.method, "POST");
  EXPECT_EQ(add.path, "/rpc");
  EXPECT_EQ(plan->rpc.calls[0].params, "[1,2]");
  EXPECT_EQ(plan->requests[1].name, "alive");
  EXPECT_EQ(plan->requests[1].headers,
            (decltype(add.headers){{"accept", "x/y"}, {"Content-Type", "application/json"}}));
  EXPECT_EQ(plan->rpc.calls[1].params, "");
}

TEST(McpPlan, ReadsWhatMcpIsAskedFor) {
  const auto plan = parsed_plan({{"protocol", "mcp"},
                                 {"mcp", {{"path", "/a/mcp"}, {"session", "always"}}},
                                 {"requests",
                                  {{{"tool", "search"}, {"arguments", {{"q", "x"}}}},
                                   {{"resource", "file:///a"}},
                                   {{"prompt", "greet"}, {"weight", 2}},
                                   {{"list", "tools"}}}}});
  ASSERT_TRUE(plan.is_ok()) << plan.status().message();
  EXPECT_EQ(plan->rpc.session, McpSession::kAlways);
  std::vector<std::string> names;
  for (size_t i = 0; i < plan->requests.size(); ++i) {
    names.push_back(plan->requests[i].name);
    EXPECT_EQ(names.back(), endpoint_of(plan->rpc.calls[i]));
    EXPECT_EQ(plan->requests[i].path, "/a/mcp");
  }
  EXPECT_THAT(names, testing::ElementsAre("tools/call search", "resources/read file:///a",
                                          "prompts/get greet", "tools/list"));
  EXPECT_EQ(plan->rpc.calls[0].arguments, R"({"q":"x"})");
  EXPECT_EQ(plan->rpc.calls[2].arguments, "") << "made up when the load begins";
}

TEST(McpPlan, ListsNoRequestsWhereTheServerIsToBeAsked) {
  const auto plan = parsed_plan({{"protocol", "mcp"}, {"mcp", {{"tools", {"a", "b"}}}}});
  ASSERT_TRUE(plan.is_ok()) << plan.status().message();
  EXPECT_TRUE(plan->requests.empty());
  EXPECT_EQ(plan->rpc.path, "/mcp");
  EXPECT_EQ(plan->rpc.session, McpSession::kAuto);
  EXPECT_THAT(plan->rpc.tools, testing::ElementsAre("a", "b"));
}

TEST(McpPlan, NamesTheKeyThatIsWrong) {
  const auto refuses = [](const char* protocol, const char* request, const char* sentence) {
    const auto plan =
        parsed_plan({{"protocol", protocol}, {"requests", json::array({json::parse(request)})}});
    EXPECT_THAT(plan.status().message(), HasSubstr(sentence)) << request;
  };
  refuses("http1", R"({"tool": "a"})", "load.requests[0].tool needs load.protocol: mcp");
  refuses("auto", R"({"list": "tools"})", "load.requests[0].list needs load.protocol: mcp");
  refuses("curl", R"({"rpc": "a"})", "load.requests[0].rpc needs load.protocol: jsonrpc");
  refuses("auto", R"({"arguments": {}})", "load.requests[0].arguments needs");
  refuses("jsonrpc", R"({"rpc": "a", "tool": "b"})",
          "load.requests[0].tool is for load.protocol mcp");
  refuses("jsonrpc", R"({"path": "/"})", "load.requests[0].rpc is missing");
  refuses("jsonrpc", R"({"rpc": "a", "params": 3})",
          "load.requests[0].params must be keys or a list");
  refuses("jsonrpc", R"({"rpc": "a", "body": "x"})", "use params");
  refuses("jsonrpc", R"({"rpc": "a", "method": "PUT"})", "load.requests[0].method is always POST");
  refuses("mcp", R"({"rpc": "a"})", "load.requests[0].rpc is for load.protocol jsonrpc");
  refuses("mcp", R"({"path": "/"})", "must have one of tool, resource, prompt and list");
  refuses("mcp", R"({"tool": "a", "prompt": "b"})", "must have one of tool");
  refuses("mcp", R"({"tool": "a", "path": "/x"})", "use load.mcp.path");
  refuses("mcp", R"({"tool": ""})", "load.requests[0].tool is empty");
  refuses("mcp", R"({"tool": 3})", "wrong type");
  refuses("mcp", R"({"tool": "a", "arguments": [1]})", "load.requests[0].arguments must be keys");
  refuses("mcp", R"({"resource": "a", "arguments": {}})", "is for a tool or a prompt");
  refuses("mcp", R"({"list": "all"})", "load.requests[0].list must be tools");
  refuses("mcp", R"({"tool": "a", "name": "initialize"})", "load.requests[0].name is taken");

  const auto message = [](json load) { return parsed_plan(std::move(load)).status().message(); };
  const json one = json::array({{{"tool", "a"}}});
  EXPECT_THAT(message({{"protocol", "grpc"}}),
              HasSubstr("auto, http1, http2, curl, jsonrpc or mcp"));
  EXPECT_THAT(message({{"mcp", json::object()}}), HasSubstr("load.mcp needs load.protocol: mcp"));
  EXPECT_THAT(message({{"protocol", "mcp"}, {"mcp", {{"path", "mcp"}}}}),
              HasSubstr("load.mcp.path must begin with /"));
  EXPECT_THAT(message({{"protocol", "mcp"}, {"mcp", {{"session", "maybe"}}}}),
              HasSubstr("load.mcp.session must be auto, always or never"));
  EXPECT_THAT(message({{"protocol", "mcp"}, {"mcp", {{"tools", {"a", "a"}}}}}),
              HasSubstr("load.mcp.tools names a twice"));
  EXPECT_THAT(message({{"protocol", "mcp"}, {"mcp", {{"tools", {"a"}}}}, {"requests", one}}),
              HasSubstr("load.mcp.tools is for a plan without load.requests"));
  EXPECT_THAT(message({{"protocol", "jsonrpc"}}), HasSubstr("load.requests is empty"));
}

}  // namespace
}  // namespace plumb::http_load
