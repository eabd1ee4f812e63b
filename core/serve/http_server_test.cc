#include "core/serve/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/serve/served_api_for_tests.h"

namespace plumb::serve {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string events_path() { return std::string("/api/v1/runs/") + kRunId + "/events"; }

HttpLimits impatient() {
  HttpLimits limits;
  limits.header_time = std::chrono::milliseconds(50);
  limits.body_time = std::chrono::milliseconds(50);
  limits.idle_time = std::chrono::milliseconds(50);
  return limits;
}

TEST(HttpServer, AnswersSeveralRequestsOnOneConnection) {
  ServedApi served;
  TestClient client(served.port);
  for (int i = 0; i < 3; ++i) {
    client.send(request_text(served.port, "GET", "/health"));
    EXPECT_EQ(client.read_reply().status, 200);
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  ServedApi served;
  TestClient client(served.port);
  client.send(request_text(served.port, "GET", "/health") +
              request_text(served.port, "GET", "/nowhere") +
              request_text(served.port, "GET", "/health", "Connection: close\r\n"));
  EXPECT_EQ(client.read_reply().status, 200);
  EXPECT_EQ(client.read_reply().status, 404);
  EXPECT_EQ(client.read_reply().status, 200);
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, SendsNoBodyForHead) {
  ServedApi served;
  TestClient client(served.port);
  client.send(request_text(served.port, "HEAD", "/health"));
  const Reply head = client.read_reply(true);
  EXPECT_EQ(head.status, 200);
  // What follows is the next answer, not a body.
  client.send(request_text(served.port, "GET", "/health"));
  const Reply get = client.read_reply();
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(get.body.size()));
}

TEST(HttpServer, InvitesTheBodyOfAClientThatAsksFirst) {
  ServedApi served;
  TestClient client(served.port);
  client.send(request_text(served.port, "POST", "/api/v1/plans/validate",
                           "Content-Type: application/yaml\r\nExpect: 100-continue\r\n"
                           "Content-Length: 3\r\n"));
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  client.send("a: ");
  EXPECT_EQ(client.read_reply().status, 200);
}

TEST(HttpServer, RefusesABodyByItsLengthBeforeItComes) {
  ServedApi served;
  TestClient client(served.port);
  client.send(request_text(served.port, "POST", "/api/v1/runs",
                           "Content-Type: application/yaml\r\nContent-Length: 314572800\r\n"));
  EXPECT_EQ(client.read_reply().status, 413);
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, CutsOffAChunkedBodyThatGrowsTooLong) {
  ServedApi served;
  TestClient client(served.port);
  client.send(request_text(served.port, "POST", "/api/v1/runs",
                           "Content-Type: application/yaml\r\nTransfer-Encoding: chunked\r\n"));
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  size_t sent = 0;
  while (sent < 64 && client.send(chunk)) ++sent;
  EXPECT_EQ(client.read_reply().status, 413);
}

TEST(HttpServer, RefusesAHundredThousandHeaders) {
  ServedApi served;
  TestClient client(served.port);
  std::string request = "GET /health HTTP/1.1\r\n";
  for (int i = 0; i < 100'000; ++i) request += "X-" + std::to_string(i) + ": y\r\n";
  client.send(request + "\r\n");
  EXPECT_EQ(client.read_reply().status, 431);
  EXPECT_EQ(served.get("/health").status, 200);
}

TEST(HttpServer, RefusesWhatIsNoHttp) {
  ServedApi served;
  for (const char* bytes :
       {"\x16\x03\x01\x02\x01\x01\r\n\r\n", "GET /health\r\n\r\n", "GET /health HTTP/9.9\r\n\r\n",
        "GET /health HTTP/1.1\r\nno colon\r\n\r\n",
        "POST /api/v1/runs HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/runs HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    TestClient client(served.port);
    client.send(bytes);
    EXPECT_EQ(client.read_reply().status, 400) << bytes;
    EXPECT_TRUE(client.ends()) << bytes;
  }
}

TEST(HttpServer, ClosesOnAClientThatNeverEndsItsHeaders) {
  ServedApi served(impatient());
  TestClient client(served.port);
  client.send("GET /health HTTP/1.1\r\nHost: loc");
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, ATrickleOfHeadersDoesNotExtendTheirTime) {
  ServedApi served(impatient());
  TestClient client(served.port);
  client.send("GET /health HTTP/1.1\r\nX: ");
  bool closed = false;
  for (int i = 0; i < 2'000 && !closed; ++i) {
    closed = !client.send("y") || client.readable_within(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(closed);
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, ClosesOnAClientThatNeverEndsItsBody) {
  ServedApi served(impatient());
  TestClient client(served.port);
  client.send(request_text(served.port, "POST", "/api/v1/runs",
                           "Content-Type: application/yaml\r\nContent-Length: 100\r\n") +
              "name: x");
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, ClosesIdleConnections) {
  ServedApi served(impatient());
  TestClient client(served.port);
  client.send(request_text(served.port, "GET", "/health"));
  EXPECT_EQ(client.read_reply().status, 200);
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, TurnsAwayConnectionsBeyondItsCap) {
  HttpLimits limits;
  limits.connections = 2;
  ServedApi served(limits);
  TestClient first(served.port);
  TestClient second(served.port);
  for (TestClient* client : {&first, &second}) {
    client->send(request_text(served.port, "GET", "/health"));
    EXPECT_EQ(client->read_reply().status, 200);
  }
  TestClient third(served.port);
  const Reply refused = third.read_reply();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "2");
  EXPECT_TRUE(third.ends());
  first.send(request_text(served.port, "GET", "/health"));
  EXPECT_EQ(first.read_reply().status, 200);
}

TEST(HttpServer, AnswersHealthBesideManyStreams) {
  ServedApi served;
  const auto log = served.runs.begin();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<TestClient>(served.port));
    clients.back()->send(request_text(served.port, "GET", events_path()));
    EXPECT_EQ(clients.back()->read_head().status, 200);
  }
  EXPECT_EQ(served.get("/health").status, 200);
  EXPECT_EQ(served.get(events_path()).status, 503) << "the 65th stream";
  log->append("progress", "{\"requests\":7}");
  for (const auto& client : clients) {
    EXPECT_THAT(client->read_until("\n\n"), HasSubstr("{\"requests\":7}"));
  }
}

TEST(HttpServer, GivesTheRoomOfAStreamThatWasHungUpToAnother) {
  HttpLimits limits;
  limits.streams = 1;
  ServedApi served(limits);
  served.runs.begin();
  {
    TestClient client(served.port);
    client.send(request_text(served.port, "GET", events_path()));
    EXPECT_EQ(client.read_head().status, 200);
  }
  int status = 503;
  for (int i = 0; i < 10'000 && status == 503; ++i) {
    TestClient client(served.port);
    client.send(request_text(served.port, "GET", events_path()));
    status = client.read_head().status;
  }
  EXPECT_EQ(status, 200);
}

TEST(HttpServer, SendsAStreamToItsEnd) {
  ServedApi served;
  const auto log = served.runs.begin();
  log->append("stage", "{\"name\":\"steady\"}");
  TestClient client(served.port);
  client.send(request_text(served.port, "GET", events_path()));
  const Reply head = client.read_head();
  EXPECT_EQ(head.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(head.headers.at("cache-control"), "no-store");
  EXPECT_THAT(client.read_until("\n\n"),
              HasSubstr("id: 1\nevent: stage\ndata: {\"name\":\"steady\"}\n\n"));
  served.runs.end({store::RunState::kFinished, ""});
  EXPECT_THAT(client.read_until("\r\n0\r\n\r\n"), HasSubstr("id: 2\nevent: done\n"));
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, ResumesAStreamAfterTheLastEventOfTheClient) {
  ServedApi served;
  const auto log = served.runs.begin();
  for (int i = 1; i <= 5; ++i) log->append("progress", std::to_string(i));
  served.runs.end({store::RunState::kFinished, ""});
  const Reply reply = served.get(events_path(), "Last-Event-ID: 3\r\n");
  EXPECT_EQ(reply.body,
            "id: 4\nevent: progress\ndata: 4\n\nid: 5\nevent: progress\ndata: 5\n\n"
            "id: 6\nevent: done\ndata: {}\n\n");
}

TEST(HttpServer, TellsAResumingClientWhatIsForgotten) {
  ServedApi served;
  const auto log = served.runs.begin(2);
  for (int i = 1; i <= 5; ++i) log->append("progress", std::to_string(i));
  TestClient client(served.port);
  client.send(request_text(served.port, "GET", events_path(), "Last-Event-ID: 1\r\n"));
  client.read_head();
  EXPECT_THAT(client.read_until("data: 5\n\n"),
              HasSubstr("event: gap\ndata: {\"lost\":2}\n\nid: 4\n"));
}

TEST(HttpServer, TellsAClientThatHasEverythingNotToComeBack) {
  ServedApi served;
  served.runs.begin();
  served.runs.end({store::RunState::kFinished, ""});
  EXPECT_EQ(served.get(events_path(), "Last-Event-ID: 1\r\n").status, 204);
}

TEST(HttpServer, StreamsToAnOldClientWithoutChunks) {
  ServedApi served;
  const auto log = served.runs.begin();
  log->append("progress", "{}");
  served.runs.end({store::RunState::kFinished, ""});
  TestClient client(served.port);
  client.send("GET " + events_path() +
              " HTTP/1.0\r\nHost: 127.0.0.1:" + std::to_string(served.port) + "\r\n\r\n");
  EXPECT_EQ(client.read_head().headers.count("transfer-encoding"), 0u);
  EXPECT_EQ(client.read_until("never"),
            "id: 1\nevent: progress\ndata: {}\n\nid: 2\nevent: done\ndata: {}\n\n");
}

TEST(HttpServer, KeepsASilentStreamAlive) {
  HttpLimits limits;
  limits.heartbeat_time = std::chrono::milliseconds(10);
  ServedApi served(limits);
  served.runs.begin();
  TestClient client(served.port);
  client.send(request_text(served.port, "GET", events_path()));
  client.read_head();
  EXPECT_THAT(client.read_until("\n\n"), HasSubstr("\r\n: still here\n\n"));
  EXPECT_THAT(client.read_until("\n\n"), HasSubstr("\r\n: still here\n\n"));
}

TEST(HttpServer, EvictsAClientThatDoesNotRead) {
  HttpLimits limits;
  limits.write_time = std::chrono::milliseconds(100);
  limits.streams = 1;
  limits.stream_send_buffer_bytes = 4096;
  ServedApi served(limits);
  const auto log = served.runs.begin(4);
  TestClient slow(served.port, 4096);
  slow.send(request_text(served.port, "GET", events_path()));
  EXPECT_EQ(slow.read_head().status, 200);
  const std::string large(256 * 1024, 'x');
  for (int i = 0; i < 8; ++i) log->append("progress", large);
  // Its room is free again once it has been given up on.
  int status = 503;
  for (int i = 0; i < 100'000 && status == 503; ++i) {
    TestClient client(served.port);
    client.send(request_text(served.port, "GET", events_path()));
    status = client.read_head().status;
  }
  EXPECT_EQ(status, 200);
}

TEST(HttpServer, EndsStreamsWithALastEventWhenItStops) {
  ServedApi served;
  served.runs.begin();
  TestClient client(served.port);
  client.send(request_text(served.port, "GET", events_path()));
  client.read_head();
  served.stop();
  EXPECT_THAT(client.read_until("\r\n0\r\n\r\n"), HasSubstr("event: closing\n"));
  EXPECT_TRUE(client.ends());
}

TEST(HttpServer, KeepsItsConnectionsWhenItNoLongerAccepts) {
  ServedApi served;
  const auto log = served.runs.begin();
  TestClient client(served.port);
  client.send(request_text(served.port, "GET", events_path()));
  client.read_head();
  served.server().stop_accepting();
  log->append("progress", "{}");
  EXPECT_THAT(client.read_until("\n\n"), HasSubstr("event: progress\n"));
}

TEST(HttpServer, StopsWhileNobodyIsConnected) {
  ServedApi served;
  served.server().stop_accepting();
  served.stop();
}

TEST(HttpServer, SaysThatAPortIsTaken) {
  ServedApi served;
  struct Nothing final : HttpHandler {
    Admission admit(const RequestHead&) override { return {}; }
    Response handle(const Request&) override { return {}; }
    Response refuse(int, const std::string&) override { return {}; }
    void answered(const std::string&, int, std::chrono::nanoseconds) override {}
  } nothing;
  const auto second = HttpServer::listen({"127.0.0.1", served.port}, {}, nothing);
  ASSERT_FALSE(second.is_ok());
  EXPECT_THAT(second.status().message(), HasSubstr("another plumbd"));
}

TEST(ListenAddress, IsLoopbackOnly) {
  for (const char* text : {"127.0.0.1:7420", "localhost:0", "[::1]:65535", "127.8.9.10:1"}) {
    EXPECT_TRUE(parse_listen_address(text).is_ok()) << text;
  }
  for (const char* text : {"0.0.0.0:7420", "[::]:7420", "10.1.2.3:7420", "example.com:7420",
                           ":7420", "*:7420", "[::ffff:127.0.0.1]:1"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address.is_ok()) << text;
    EXPECT_THAT(address.status().message(), HasSubstr("loopback")) << text;
  }
}

TEST(ListenAddress, NeedsAPort) {
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:80 "}) {
    EXPECT_THAT(parse_listen_address(text).status().message(), HasSubstr("port")) << text;
  }
}

}  // namespace
}  // namespace plumb::serve
