#include "plugins/http_load/rpc_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

constexpr std::string_view kNote = "data: {\"method\":\"notifications/progress\"}\n\n";
constexpr std::string_view kAnswer = "data: {\"id\":7,\"result\":{}}\n\n";

void begin_stream(RpcAnswer& answer, bool cuts_streams = false) {
  answer.expect(7, cuts_streams);
  answer.on_answer(200);
  answer.on_header("content-type", "Text/Event-Stream; charset=utf-8");
}

TEST(RpcAnswer, ReadsABodyThatComesInPieces) {
  RpcAnswer answer;
  answer.expect(7, false);
  answer.on_answer(200);
  answer.on_header("Content-Type", "application/json");
  EXPECT_TRUE(answer.is_empty());
  EXPECT_TRUE(answer.on_body("{\"id\":7,", 1));
  EXPECT_TRUE(answer.on_body("\"result\":{}}", 2));
  EXPECT_EQ(answer.first_event_ns(), 0);
  EXPECT_TRUE(answer.take_reply().ok());
}

TEST(RpcAnswer, FindsItsAnswerInAStreamAndTimesTheFirstMessage) {
  RpcAnswer answer;
  begin_stream(answer);
  EXPECT_TRUE(answer.on_body("id: 1\ndata:\n\n", 10)) << "no message yet";
  EXPECT_TRUE(answer.on_body(kNote, 20));
  EXPECT_FALSE(answer.has_streamed_reply());
  EXPECT_TRUE(answer.on_body(kAnswer, 30));
  EXPECT_EQ(answer.first_event_ns(), 20);
  EXPECT_EQ(answer.answered_ns(), 30);
  EXPECT_TRUE(answer.has_streamed_reply());
  EXPECT_TRUE(answer.on_body("\n", 40)) << "the answer's own end";
  EXPECT_FALSE(answer.on_body(": ping\n", 50)) << "the stream goes on without us";
  EXPECT_TRUE(answer.take_reply().ok());
}

TEST(RpcAnswer, CutsAStreamAtTheAnswerWhenToldTo) {
  RpcAnswer answer;
  begin_stream(answer, true);
  EXPECT_TRUE(answer.on_body(kNote, 1));
  EXPECT_FALSE(answer.on_body(kAnswer, 2));
  EXPECT_TRUE(answer.take_reply().ok());
}

TEST(RpcAnswer, ForgetsTheFirstOfTwoAnswers) {
  RpcAnswer answer;
  begin_stream(answer);
  answer.on_header("MCP-Session-Id", "old");
  answer.on_body("data: {\"id\":7,\"error\":{}}\n\ndata: begun", 1);
  answer.on_answer(200);  // sent once more, on another connection
  EXPECT_FALSE(answer.is_stream());
  EXPECT_EQ(answer.session_id(), "");
  answer.on_body("{\"id\":7,\"result\":{}}", 2);
  EXPECT_TRUE(answer.take_reply().ok());
}

TEST(RpcAnswer, TakesASessionIdThatCanBeAHeader) {
  RpcAnswer answer;
  for (const auto& [id, taken] : {std::pair<std::string, bool>{"a-1~", true},
                                  {"a b", false},
                                  {"", false},
                                  {"a\xc3\xa4", false},
                                  {std::string(1'025, 'a'), false}}) {
    answer.expect(7, false);
    answer.on_header("mcp-session-id", id);
    EXPECT_EQ(answer.session_id(), taken ? id : "") << id;
  }
}

TEST(RpcAnswer, GivesUpWhatIsTooLarge) {
  const std::string mebibyte(1024 * 1024, 'a');
  for (const bool is_stream : {false, true}) {
    RpcAnswer answer;
    answer.expect(7, false);
    if (is_stream) begin_stream(answer);
    int taken = 0;
    while (taken < 10 && answer.on_body(mebibyte, 1)) ++taken;
    EXPECT_EQ(taken, 4);
    const RpcReply reply = answer.take_reply();
    EXPECT_EQ(reply.error, ErrorClass::kProtocol);
    EXPECT_THAT(reply.detail, testing::HasSubstr("larger than 4 MiB"));
  }
}

}  // namespace
}  // namespace plumb::http_load
