#include "plugins/http_load/json_rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(JsonRpc, BuildsRequestsAndNotifications) {
  EXPECT_EQ(rpc_request(7, "add", "[1,2]"),
            R"({"jsonrpc":"2.0","id":7,"method":"add","params":[1,2]})");
  EXPECT_EQ(rpc_request(1, "a\"b", ""), R"({"jsonrpc":"2.0","id":1,"method":"a\"b"})");
  EXPECT_EQ(rpc_notification("notifications/initialized", ""),
            R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
}

TEST(JsonRpc, TakesTheResultOfItsOwnRequest) {
  const RpcReply reply = read_rpc_reply(R"({"jsonrpc":"2.0","id":7,"result":{"a":1}})", 7);
  EXPECT_TRUE(reply.ok());
  EXPECT_EQ(reply.result, json({{"a", 1}}));
  EXPECT_TRUE(read_rpc_reply(R"({"id":7,"result":null,"error":null})", 7).ok());
}

TEST(JsonRpc, AnErrorIsAFailureWithItsCodeAndMessage) {
  const auto reply =
      read_rpc_reply(R"({"id":7,"error":{"code":-32601,"message":"no\nsuch\u0007 method"}})", 7);
  EXPECT_EQ(reply.error, ErrorClass::kRpc);
  EXPECT_EQ(reply.code, -32601);
  EXPECT_EQ(reply.detail, "error -32601: no such  method");
  EXPECT_EQ(read_rpc_reply(R"({"id":null,"error":{"code":-32700}})", 7).detail, "error -32700");
  EXPECT_EQ(read_rpc_reply(R"({"id":7,"error":"oops"})", 7).error, ErrorClass::kRpc);
}

TEST(JsonRpc, WhatIsNoAnswerIsAProtocolError) {
  const auto refuses = [](const std::string& body, const char* sentence) {
    const RpcReply reply = read_rpc_reply(body, 7);
    EXPECT_EQ(reply.error, ErrorClass::kProtocol) << body;
    EXPECT_THAT(reply.detail, HasSubstr(sentence)) << body;
  };
  refuses("", "empty");
  refuses("<html>\n", "no JSON: <html> ");
  refuses(R"({"id":7,"result":1)", "no JSON");
  refuses("[1]", "no JSON-RPC object");
  refuses(R"({"id":7})", "neither a result nor an error");
  refuses(R"({"result":1})", "another request");
  refuses(R"({"id":8,"result":1})", "another request");
  refuses(R"({"id":"7","result":1})", "another request");
  refuses(R"({"id":7.0,"result":1})", "another request");
  refuses(R"({"id":8,"error":{"code":1}})", "another request");
  refuses(std::string(100'000, '['), "too deeply");
  refuses("{\"id\":7,\"result\":\"\xff\"}", "no JSON");
}

TEST(JsonRpc, BracketsInTextAreNoNesting) {
  const std::string body = json({{"id", 7}, {"result", "\"\\" + std::string(1'000, '[')}}).dump();
  EXPECT_TRUE(read_rpc_reply(body, 7).ok());
}

TEST(JsonRpc, ReadsOverWhatIsNotForItInAStream) {
  EXPECT_FALSE(read_rpc_message(R"({"method":"notifications/progress","params":{}})", 7));
  EXPECT_FALSE(read_rpc_message(R"({"id":7,"method":"sampling/createMessage"})", 7));
  EXPECT_FALSE(read_rpc_message(R"({"id":6,"result":{}})", 7));
  EXPECT_TRUE(read_rpc_message(R"({"id":7,"result":{}})", 7)->ok());
  EXPECT_EQ(read_rpc_message(R"({"id":null,"error":{"code":-32600}})", 7)->error, ErrorClass::kRpc);
  EXPECT_EQ(read_rpc_message("nothing", 7)->error, ErrorClass::kProtocol);
}

TEST(JsonRpc, TextOfTheTargetsIsOneBoundedLine) {
  EXPECT_EQ(one_line("a\r\n\tb\x7f"
                     "c\x1b[31m"),
            "a   b c [31m");
  EXPECT_EQ(one_line("abcdef", 6), "abcdef");
  EXPECT_EQ(one_line("abcdefg", 6), "abcdef...");
  EXPECT_EQ(one_line("a\xc3\xa4\xc3\xa4", 2), "a...") << "between two characters";
}

}  // namespace
}  // namespace plumb::http_load
