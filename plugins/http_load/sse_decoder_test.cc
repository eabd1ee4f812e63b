#include "plugins/http_load/sse_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace plumb::http_load {
namespace {

struct KeptEvents final : SseHandler {
  void on_event(const SseEvent& event) override {
    events.push_back(std::string(event.type) + "|" + std::string(event.data) + "|" +
                     std::string(event.id));
  }
  std::vector<std::string> events;
};

std::vector<std::string> events_of(std::string_view stream) {
  KeptEvents kept;
  SseDecoder decoder;
  EXPECT_TRUE(decoder.feed(stream, kept));
  return kept.events;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SseDecoder, EndsLinesWithAnyOfTheThreeEnds) {
  for (const char* stream : {"data: a\n\ndata: b\n\n", "data: a\r\rdata: b\r\r",
                             "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\n\ndata: b\r\r\n"})
    EXPECT_THAT(events_of(stream), ElementsAre("message|a|", "message|b|")) << stream;
}

TEST(SseDecoder, JoinsTheLinesOfAnEvent) {
  EXPECT_THAT(events_of("data: YHOO\ndata: +2\ndata\ndata:10\n\n"),
              ElementsAre("message|YHOO\n+2\n\n10|"));
}

TEST(SseDecoder, TakesOneSpaceAfterTheColon) {
  EXPECT_THAT(events_of("data:a\n\ndata: a\n\ndata:  a\n\n"),
              ElementsAre("message|a|", "message|a|", "message| a|"));
}

TEST(SseDecoder, ReadsTypeAndId) {
  EXPECT_THAT(events_of("event: add\nid: 1\ndata: x\n\ndata: y\n\nid\ndata: z\n\n"),
              ElementsAre("add|x|1", "message|y|1", "message|z|"));
  EXPECT_THAT(events_of(std::string_view("id: 1\nid: a\0b\ndata: x\n\n", 23)),
              ElementsAre("message|x|1"))
      << "an id with a NUL is none";
}

TEST(SseDecoder, GivesNoEventWithoutData) {
  EXPECT_THAT(events_of("event: add\n\n\n\nid: 7\n\n: comment\n\nunknown: 1\n\ndata: a\n\n"),
              ElementsAre("message|a|7"));
  EXPECT_THAT(events_of("data\n\n"), ElementsAre("message||")) << "an empty line of data is data";
  EXPECT_THAT(events_of("data: unfinished\n"), IsEmpty());
}

TEST(SseDecoder, ReadsOverAByteOrderMarkAtTheBeginningOnly) {
  EXPECT_THAT(events_of("\xef\xbb\xbf"
                        "data: a\n\n"),
              ElementsAre("message|a|"));
  EXPECT_THAT(events_of("data: a\n\n\xef\xbb\xbf"
                        "data: b\n\n"),
              ElementsAre("message|a|"));
}

TEST(SseDecoder, KeepsTheLastRetryThatIsANumber) {
  KeptEvents kept;
  SseDecoder decoder;
  EXPECT_FALSE(decoder.retry_ms());
  decoder.feed("retry: 1500\nretry: 2s\nretry: -1\nretry:\nretry: 99999999999999999999\n", kept);
  EXPECT_EQ(decoder.retry_ms(), 1500u);
}

TEST(SseDecoder, GivesTheSameEventsHoweverTheStreamIsCut) {
  const std::string stream =
      "\xef\xbb\xbf"
      "id: 1\r\ndata: {\"a\":\r\ndata: 1}\r\n\n: ping\rdata:b\r\revent: e\n"
      "retry: 3\ndata: c\n\ndata\n\n";
  const auto whole = events_of(stream);
  EXPECT_EQ(whole.size(), 4u);
  for (size_t first = 0; first <= stream.size(); ++first)
    for (size_t second = first; second <= stream.size(); ++second) {
      KeptEvents kept;
      SseDecoder decoder;
      const std::string_view view = stream;
      decoder.feed(view.substr(0, first), kept);
      decoder.feed(view.substr(first, second - first), kept);
      decoder.feed(view.substr(second), kept);
      ASSERT_EQ(kept.events, whole) << first << " " << second;
    }
}

TEST(SseDecoder, GivesUpAnEventThatIsTooLarge) {
  KeptEvents kept;
  SseDecoder decoder(16);
  EXPECT_TRUE(decoder.feed("data: 0123456789\n\n", kept));
  EXPECT_FALSE(decoder.feed("data: 0123\ndata: 4567890\n\n", kept)) << "over several lines";
  EXPECT_FALSE(decoder.feed("data: a\n\n", kept)) << "the stream is lost";
  EXPECT_EQ(kept.events.size(), 1u);
  decoder.reset();
  EXPECT_FALSE(decoder.feed(": a comment as long as that\n", kept));
  decoder.reset();
  for (int i = 0; i < 17; ++i) EXPECT_EQ(decoder.feed("x", kept), i < 16) << i;
  decoder.reset();
  EXPECT_TRUE(decoder.feed("data: a\n\n", kept));
  EXPECT_EQ(kept.events.size(), 2u);
}

}  // namespace
}  // namespace plumb::http_load
