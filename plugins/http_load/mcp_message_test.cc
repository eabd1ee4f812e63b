#include "plugins/http_load/mcp_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

using nlohmann::json;

TEST(McpMessage, EncodesWhatNoHeaderCanHold) {
  EXPECT_EQ(mcp_header_value("us-west1"), "us-west1");
  EXPECT_EQ(mcp_header_value("a b"), "a b");
  EXPECT_EQ(mcp_header_value(""), "");
  // The examples of the specification.
  EXPECT_EQ(mcp_header_value("Hello, \xe4\xb8\x96\xe7\x95\x8c"), "=?base64?SGVsbG8sIOS4lueVjA==?=");
  EXPECT_EQ(mcp_header_value(" padded "), "=?base64?IHBhZGRlZCA=?=");
  EXPECT_EQ(mcp_header_value("line1\nline2"), "=?base64?bGluZTEKbGluZTI=?=");
  EXPECT_EQ(mcp_header_value("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
}

TEST(McpMessage, FindsTheArgumentsThatAreHeadersToo) {
  const auto found = [](const char* schema) { return header_arguments_of(json::parse(schema)); };
  EXPECT_EQ(found("{}")->size(), 0u);
  EXPECT_EQ(found("true")->size(), 0u);
  const auto two = found(R"({"properties": {
      "a": {"type": "string", "x-mcp-header": "A"},
      "b": {"properties": {"c": {"type": "integer", "x-mcp-header": "C"}}}}})");
  ASSERT_EQ(two->size(), 2u);
  EXPECT_EQ((*two)[0].header, "Mcp-Param-A");
  EXPECT_EQ((*two)[1].at.to_string(), "/b/c");
  for (const char* bad :
       {R"({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}})",
        R"({"properties": {"a": {"type": "string", "x-mcp-header": ""}}})",
        R"({"properties": {"a": {"type": "string", "x-mcp-header": "A\r\nB: c"}}})",
        R"({"properties": {"a": {"type": "string", "x-mcp-header": 3}}})",
        R"({"properties": {"a": {"type": "string", "x-mcp-header": "X"},
                           "b": {"type": "string", "x-mcp-header": "x"}}})",
        R"({"properties": {"a": {"items": {"type": "string", "x-mcp-header": "A"}}}})",
        R"({"anyOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]})"})
    EXPECT_FALSE(found(bad)) << bad;
}

TEST(McpMessage, LeavesOutWhatIsNotThere) {
  RpcCall list;
  list.kind = RpcCall::Kind::kList;
  list.method = "tools/list";
  const Message plain = mcp_message({}, list, {}, 1, "", 0);
  EXPECT_EQ(plain.body, R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  EXPECT_EQ(plain.headers, (decltype(plain.headers){{"MCP-Protocol-Version", "2025-11-25"}}));
  RpcCall tool;
  tool.kind = RpcCall::Kind::kTool;
  tool.method = "tools/call";
  tool.subject = "a\"b";
  EXPECT_EQ(json::parse(mcp_message({}, tool, {}, 1, "", 0).body)["params"],
            json::parse(R"({"name": "a\"b", "arguments": {}})"));
}

}  // namespace
}  // namespace plumb::http_load
