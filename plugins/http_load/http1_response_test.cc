#include "plugins/http_load/http1_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace plumb::http_load {
namespace {

using Progress = Http1Response::Progress;
using testing::HasSubstr;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

struct Answer : Http1Response {
  explicit Answer(bool to_head = false) { begin(to_head); }
};

TEST(Http1Response, ReadsAnAnswerThatComesByteByByte) {
  const std::string_view text =
      "HTTP/1.1 201 Created\r\nserver-Timing: db;dur=5\r\nX: y\r\nServer-Timing: app;dur=2\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  Answer answer;
  for (const char& c : text.substr(0, text.size() - 1))
    ASSERT_EQ(answer.feed({&c, 1}), Progress::kMore);
  EXPECT_EQ(answer.feed(text.substr(text.size() - 1)), Progress::kComplete);
  EXPECT_EQ(answer.status(), 201);
  EXPECT_EQ(answer.server_timing(), "db;dur=5,app;dur=2");
  EXPECT_TRUE(answer.reusable());
}

TEST(Http1Response, BeginsAnewForEachAnswer) {
  Answer answer;
  EXPECT_EQ(answer.feed("HTTP/1.1 500 X\r\nServer-Timing: a;dur=1\r\nContent-Length: 0\r\n\r\n"),
            Progress::kComplete);
  answer.begin(false);
  EXPECT_EQ(answer.feed(kOk), Progress::kComplete);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.server_timing(), "");
}

TEST(Http1Response, ReadsOverInterimAnswers) {
  Answer answer;
  const std::string text =
      "HTTP/1.1 103 Early Hints\r\nServer-Timing: early;dur=1\r\nLink: </a>\r\n\r\n" +
      std::string(kOk);
  EXPECT_EQ(answer.feed(text), Progress::kComplete);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.server_timing(), "");
}

TEST(Http1Response, ExpectsNoBodyAfterHeadOr204Or304) {
  Answer head(true);
  EXPECT_EQ(head.feed("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), Progress::kComplete);
  EXPECT_TRUE(head.reusable());
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    Answer answer;
    EXPECT_EQ(answer.feed(std::string("HTTP/1.1 ") + status + "\r\n\r\n"), Progress::kComplete);
    EXPECT_TRUE(answer.reusable());
  }
}

TEST(Http1Response, EndsAnAnswerWithoutLengthWhenThePeerCloses) {
  Answer answer;
  EXPECT_EQ(answer.feed("HTTP/1.0 200 OK\r\n\r\nall of it"), Progress::kMore);
  EXPECT_EQ(answer.close(), Progress::kComplete);
  EXPECT_FALSE(answer.reusable());
}

TEST(Http1Response, IsNotCompleteWhenThePeerClosesEarly) {
  for (const std::string_view text :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    Answer answer;
    ASSERT_EQ(answer.feed(text), Progress::kMore) << text;
    EXPECT_NE(answer.close(), Progress::kComplete) << text;
  }
}

TEST(Http1Response, KeepsNoConnectionThatThePeerWillClose) {
  for (const std::string_view head :
       {"HTTP/1.0 200 OK\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n"}) {
    Answer answer;
    EXPECT_EQ(answer.feed(std::string(head) + "Content-Length: 0\r\n\r\n"), Progress::kComplete);
    EXPECT_FALSE(answer.reusable()) << head;
  }
}

TEST(Http1Response, KeepsNoConnectionOnWhichMoreCameThanAskedFor) {
  for (const std::string_view more : {kOk, std::string_view("junk")}) {
    Answer answer;
    EXPECT_EQ(answer.feed(std::string(kOk) + std::string(more)), Progress::kComplete);
    EXPECT_EQ(answer.status(), 200);
    EXPECT_FALSE(answer.reusable()) << more;
  }
}

TEST(Http1Response, KeepsNoConnectionThatSwitchesProtocols) {
  Answer answer;
  EXPECT_EQ(answer.feed("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                        "Connection: upgrade\r\n\r\nbinary"),
            Progress::kComplete);
  EXPECT_EQ(answer.status(), 101);
  EXPECT_FALSE(answer.reusable());
}

TEST(Http1Response, SaysWhatIsNotHttp) {
  for (const std::string_view text :
       {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    Answer answer;
    EXPECT_EQ(answer.feed(text), Progress::kMalformed) << text;
    EXPECT_NE(answer.problem(), "") << text;
  }
}

TEST(Http1Response, RefusesHeadersWithoutEnd) {
  Answer answer;
  ASSERT_EQ(answer.feed("HTTP/1.1 200 OK\r\nX: "), Progress::kMore);
  const std::string piece(16'384, 'a');
  int pieces = 0;
  while (pieces < 64 && answer.feed(piece) == Progress::kMore) ++pieces;
  EXPECT_LT(pieces, 8);
  EXPECT_THAT(answer.problem(), HasSubstr("too many header bytes"));
}

TEST(Http1Response, BoundsWhatItKeepsOfServerTiming) {
  Answer answer;
  std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  for (int i = 0; i < 15; ++i) text += "Server-Timing: " + std::string(2'000, 'a') + ";dur=1\r\n";
  EXPECT_EQ(answer.feed(text + "\r\n"), Progress::kComplete);
  EXPECT_LE(answer.server_timing().size(), 4'096u);
}

class KeptBody final : public AnswerSink {
 public:
  void on_answer(int status) override { text += std::to_string(status) + " "; }
  void on_header(std::string_view name, std::string_view value) override {
    text.append(name).append("=").append(value).append(" ");
  }
  bool on_body(std::string_view bytes, int64_t) override {
    text.append(bytes);
    return text.find("enough") == std::string::npos;
  }
  std::string text;
};

TEST(Http1Response, TellsASinkOfTheFinalAnswerOnly) {
  KeptBody sink;
  Http1Response response;
  response.begin(false, &sink);
  EXPECT_EQ(response.feed("HTTP/1.1 103 Early\r\nLink: a\r\nContent-Length: 4\r\n\r\nbody"
                          "HTTP/1.1 201 Made\r\nX: y\r\nContent-Length: 2\r\n\r\nok"),
            Progress::kComplete);
  EXPECT_EQ(sink.text, "201 X=y Content-Length=2 ok");
  EXPECT_TRUE(response.reusable());
}

TEST(Http1Response, EndsWhereTheSinkHasEnough) {
  KeptBody sink;
  Http1Response response;
  response.begin(false, &sink);
  EXPECT_EQ(response.feed("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nthis is enough"),
            Progress::kComplete);
  EXPECT_EQ(response.status(), 200);
  EXPECT_FALSE(response.reusable()) << "the rest of it is still to come";
}

}  // namespace
}  // namespace plumb::http_load
