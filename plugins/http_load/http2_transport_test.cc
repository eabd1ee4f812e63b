// HTTP/2 against real servers on loopback: the plugin through its C entry, and the transport by
// itself where a plan cannot say what is wanted.
#include "plugins/http_load/http2_transport.h"

#include <set>
#include <vector>

#include "plugins/http_load/http2_server.h"
#include "plugins/http_load/loopback_server.h"
#include "plugins/http_load/plugin_run.h"

namespace plumb::http_load {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Then = Http2Reply::Then;

json http2_load(int users) { return closed_load("http2", users); }

Http2Reply hello(const Http2Seen&) { return {.body = "hello"}; }

// Every request of a run against `url` failed, and in that one class.
void expect_all_fail(const std::string& url, const std::string& error,
                     const std::string& detail = {}) {
  json load = http2_load(2);
  if (error.starts_with("timeout")) load["timeout_ns"] = 100 * kMs;
  load["think_ns"] = 5 * kMs;
  const PluginRun run(url, load, 50, 250);
  const std::string errors = run.host.tables.at("http_errors").dump();
  EXPECT_GE(run.failures(error), 2) << errors;
  EXPECT_EQ(run.failures(error), run.host.total("http_requests_total{")) << errors;
  EXPECT_THAT(errors, HasSubstr(detail));
}

void expect_all_fail(const Http2Reply& reply, const std::string& error,
                     const std::string& detail = {}) {
  Http2Server server([&](const Http2Seen&) { return reply; });
  expect_all_fail(server.url(), error, detail);
}

void expect_no_failure(const PluginRun& run) {
  EXPECT_GT(run.failures("", "200"), 0);
  EXPECT_EQ(run.failures("", "200"), run.host.total("http_requests_total{"))
      << run.host.tables.at("http_errors").dump();
}

TEST(Http2, UsersShareOneConnection) {
  Http2Server server(&hello);
  const PluginRun run(server.url(), http2_load(8), 100, 300);
  expect_no_failure(run);
  EXPECT_EQ(server.connections(), 1u);
  EXPECT_EQ(run.host.last("http_connections_opened_total{}"), 1);
  EXPECT_EQ(run.host.last("http_in_flight{}"), 0);
  EXPECT_EQ(run.host.total("http_requests_total{"), static_cast<double>(server.seen().size()));
  EXPECT_GT(run.host.last("http_received_bytes_total{}"), 5 * run.failures("", "200"));
  EXPECT_GT(run.host.last("http_sent_bytes_total{}"), 9 * run.failures("", "200"));
}

TEST(Http2, OpenLoadSendsWhatIsDueOverAFewConnections) {
  Http2Server server(&hello);
  json load = http2_load(1);
  load["model"] = "open";
  load["rate"] = 500;
  const PluginRun run(server.url(), load, 100, 400);
  expect_no_failure(run);
  EXPECT_NEAR(run.host.last("http_scheduled_total{}"), 250, 1);
  EXPECT_EQ(run.host.last("http_started_total{}"), run.host.last("http_scheduled_total{}"));
  EXPECT_LE(server.connections(), 6u) << "512 requests in flight, 100 on a connection";
}

TEST(Http2, RequestsAreSpreadOverTheConnectionsOfThePlan) {
  Http2Server server(&hello);
  json load = http2_load(6);
  load["connections"] = 3;
  const PluginRun run(server.url(), load, 100, 300);
  expect_no_failure(run);
  EXPECT_EQ(server.connections(), 3u);
  std::map<uint64_t, size_t> by_connection;
  for (const Http2Seen& seen : server.seen()) ++by_connection[seen.connection];
  for (const auto& [connection, count] : by_connection)
    EXPECT_GT(count, server.seen().size() / 20) << connection;
}

TEST(Http2, AConnectionCarriesAsManyRequestsAsThePlanSays) {
  Http2Server server(&hello);
  json load = http2_load(9);
  load["streams"] = 3;
  const PluginRun run(server.url(), load, 100, 200);
  expect_no_failure(run);
  EXPECT_EQ(server.connections(), 3u) << "as few as carry nine users";
  EXPECT_LE(server.most_open(), 3u);
}

TEST(Http2, APeerThatAllowsOneStreamGetsOneAfterTheOther) {
  Http2Server server(&hello, {.most_streams = 1});
  const PluginRun run(server.url(), http2_load(5), 100, 300);
  expect_no_failure(run);
  EXPECT_GT(run.host.total("http_requests_total{"), 10);
  EXPECT_EQ(server.connections(), 1u);
  EXPECT_EQ(server.most_open(), 1u);
  const uint64_t queue = run.host.sum("http_phase_seconds{endpoint=home,phase=queue}");
  EXPECT_GT(queue, run.ok_response_sum() / 2) << "four of five users wait for a stream";
}

TEST(Http2, APeerThatAllowsNoStreamLeavesRequestsToTheirTimeout) {
  Http2Server server(&hello, {.most_streams = 0});
  expect_all_fail(server.url(), "timeout_connect");
}

TEST(Http2, SendsMethodBodyHeadersAndTrace) {
  Http2Server server(&hello);
  json post = request("home", "POST", "/orders?a=%20b/../c");
  post["headers"] =
      json::array({json::array({"Content-Type", "application/json"}),
                   json::array({"Connection", "close"}), json::array({"X-Empty", ""})});
  post["body"] = "{\"item\":7}";
  json load = http2_load(1);
  load["requests"] = json::array({post, request("put", "PUT", "/p"), request("head", "HEAD", "/h"),
                                  request("get", "GET", "/g")});
  load["bearer"] = "t0ken";
  load["think_ns"] = kMs;
  const PluginRun run(server.url(), load, 100, 1000);
  std::map<std::string, Http2Seen> by_method;
  std::set<std::string> traces;
  for (const Http2Seen& seen : server.seen()) {
    by_method[seen.headers.at(":method")] = seen;
    EXPECT_TRUE(traces.insert(seen.headers.at("traceparent")).second) << "each has its own";
  }
  ASSERT_EQ(by_method.size(), 4u);
  const Http2Seen& sent = by_method["POST"];
  EXPECT_EQ(sent.body, "{\"item\":7}");
  EXPECT_EQ(sent.headers.at(":path"), "/orders?a=%20b/../c");
  EXPECT_EQ(sent.headers.at(":scheme"), "http");
  EXPECT_EQ("http://" + sent.headers.at(":authority"), server.url());
  EXPECT_EQ(sent.headers.at("content-type"), "application/json");
  EXPECT_EQ(sent.headers.at("content-length"), "10");
  EXPECT_EQ(sent.headers.at("x-empty"), "");
  EXPECT_EQ(sent.headers.at("authorization"), "Bearer t0ken");
  EXPECT_EQ(sent.headers.at("user-agent"), "plumb/0.1");
  EXPECT_FALSE(sent.headers.contains("connection")) << "has no place in HTTP/2";
  EXPECT_EQ(by_method["PUT"].headers.at("content-length"), "0");
  EXPECT_FALSE(by_method["GET"].headers.contains("content-length"));
  EXPECT_EQ(run.host.total("http_requests_total{"), static_cast<double>(server.seen().size()));
}

TEST(Http2, ReadsServerTiming) {
  Http2Server server([](const Http2Seen&) {
    return Http2Reply{.body = "hello",
                      .headers = {{"server-timing", "db;dur=2.5;desc=\"a, b\", miss"},
                                  {"server-timing", "app;dur=1"}}};
  });
  const PluginRun run(server.url(), http2_load(2), 100, 200);
  const auto done = static_cast<uint64_t>(run.failures("", "200"));
  EXPECT_EQ(run.host.sum("http_server_timing_seconds{endpoint=home,name=db}"), done * 2'500'000);
  EXPECT_EQ(run.host.sum("http_server_timing_seconds{endpoint=home,name=app}"), done * 1'000'000);
}

TEST(Http2, LargeBodiesGoBothWays) {
  const std::string body(3'000'000, 'x');
  Http2Server server([&](const Http2Seen&) { return Http2Reply{.body = body}; });
  json load = http2_load(2);
  load["requests"][0]["method"] = "POST";
  load["requests"][0]["body"] = std::string(1'000'000, 'y');
  const PluginRun run(server.url(), load, 100, 300);
  expect_no_failure(run);
  EXPECT_GT(run.host.last("http_received_bytes_total{}"), run.failures("", "200") * 3e6);
  EXPECT_GT(run.host.last("http_sent_bytes_total{}"), run.failures("", "200") * 1e6);
  for (const Http2Seen& seen : server.seen()) EXPECT_EQ(seen.body.size(), 1'000'000u);
}

TEST(Http2, StatusesOfFailureAreFailures) {
  Http2Server server([](const Http2Seen&) { return Http2Reply{.status = 503}; });
  const PluginRun run(server.url(), http2_load(1), 50, 100);
  EXPECT_GT(run.failures("", "503"), 0);
  EXPECT_EQ(run.failures("", "503"), run.host.total("http_requests_total{"));
}

TEST(Http2, TrustedTlsWorksAndItsHandshakeIsTimed) {
  Http2Server server(&hello, {.tls = true});
  const TrustThisCertificate trust(server.context());
  const PluginRun run(server.url(), http2_load(3), 50, 200);
  expect_no_failure(run);
  EXPECT_GT(run.host.sum("http_phase_seconds{endpoint=home,phase=tls"), 0u);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Http2, APeerThatDoesNotChooseHttp2IsAProtocolFailure) {
  TlsServer server;
  const TrustThisCertificate trust(server.context());
  expect_all_fail(server.url(), "protocol", "did not choose h2");
}

TEST(Http2, AClosedPortIsRefused) {
  std::string url;
  { url = Http2Server(&hello).url(); }
  expect_all_fail(url, "refused", "connecting: Connection refused");
}

TEST(Http2, StaysStoppableWhileEverythingIsRefusedAtOnce) {
  std::string url;
  { url = Http2Server(&hello).url(); }
  PluginRun run(url, http2_load(8));
  run.host.on_histogram = [&] { run.interrupt(); };
  run.drive(200, 60'000);
  EXPECT_LT(run.returned_ns - run.interrupted_ns, 2'000 * kMs);
}

TEST(Http2, AConnectionThatEndsBeforeTheAnswerIsAReset) {
  expect_all_fail({.status = 0, .then = Then::kClose}, "reset", "without an answer");
  expect_all_fail({.status = 0, .then = Then::kCut}, "reset", "without an answer");
  expect_all_fail({.body = "half", .then = Then::kClose}, "reset");
  expect_all_fail({.body = "half", .then = Then::kCut}, "reset");
}

TEST(Http2, AStreamThatThePeerResetsIsAReset) {
  expect_all_fail({.status = 0, .then = Then::kResetStream, .code = NGHTTP2_INTERNAL_ERROR},
                  "reset", "without an answer: INTERNAL_ERROR");
  expect_all_fail({.body = "half", .then = Then::kResetStream, .code = NGHTTP2_CANCEL}, "reset",
                  "in the middle of the answer: CANCEL");
  expect_all_fail({.body = "half", .then = Then::kResetStream, .code = NGHTTP2_REFUSED_STREAM},
                  "reset", "in the middle of the answer");
}

TEST(Http2, AResetStreamLeavesItsConnectionToTheOthers) {
  Http2Server server([](const Http2Seen& seen) {
    if (seen.headers.at(":path") == "/") return hello(seen);
    return Http2Reply{.status = 0, .then = Then::kResetStream, .code = NGHTTP2_INTERNAL_ERROR};
  });
  json load = http2_load(4);
  load["requests"].push_back(request("other", "GET", "/other"));
  const PluginRun run(server.url(), load, 50, 150);
  EXPECT_GT(run.failures("", "200"), 0);
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Http2, ARequestThatWasNotProcessedGoesOutAgain) {
  for (const Http2Reply& refusal :
       {Http2Reply{.status = 0, .then = Then::kResetStream, .code = NGHTTP2_REFUSED_STREAM},
        Http2Reply{.status = 0, .then = Then::kGoAway}}) {
    std::atomic<int> count = 0;
    Http2Server server(
        [&](const Http2Seen& seen) { return count++ % 40 == 0 ? refusal : hello(seen); });
    json load = http2_load(4);
    load["think_ns"] = kMs;
    const PluginRun run(server.url(), load, 50, 150);
    expect_no_failure(run);
    EXPECT_EQ(server.connections() > 1, refusal.then == Then::kGoAway);
  }
}

TEST(Http2, APeerThatAlwaysRefusesIsNotAskedForever) {
  expect_all_fail({.status = 0, .then = Then::kResetStream, .code = NGHTTP2_REFUSED_STREAM},
                  "reset", "refused the stream");
}

TEST(Http2, AGoodbyeLetsRequestsThatWereTakenFinish) {
  std::atomic<int> count = 0;
  Http2Server server([&](const Http2Seen&) {
    return Http2Reply{.body = "bye", .then = ++count % 20 == 0 ? Then::kEndAndGoAway : Then::kEnd};
  });
  json load = http2_load(8);
  load["think_ns"] = kMs;
  const PluginRun run(server.url(), load, 50, 400);
  expect_no_failure(run);
  EXPECT_GT(server.connections(), 1u);
  EXPECT_EQ(run.host.last("http_connections_opened_total{}"),
            static_cast<double>(server.connections()));
}

TEST(Http2, SurvivesConnectionsThatTheServerClosesBetweenRequests) {
  std::atomic<int> count = 0;
  Http2Server server([&](const Http2Seen& seen) {
    // Every other request finds its connection dead: the server reads it and is gone.
    return ++count % 2 == 0 ? Http2Reply{.status = 0, .then = Then::kCut} : hello(seen);
  });
  json load = http2_load(1);
  load["think_ns"] = 2 * kMs;
  const PluginRun run(server.url(), load, 50, 200);
  expect_no_failure(run);
  EXPECT_GT(server.connections(), 2u);
}

TEST(Http2, WhatIsNoHttp2IsAProtocolFailure) {
  for (const char* bytes : {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                            "hello there, this is no HTTP at all\r\n\r\n"}) {
    LoopbackServer server([&](const std::string&) { return Reply{bytes, Reply::kClose}; });
    expect_all_fail(server.url(), "protocol", "not HTTP/2");
    LoopbackServer open([&](const std::string&) { return Reply{bytes}; });
    expect_all_fail(open.url(), "protocol", "not HTTP/2");
  }
}

TEST(Http2, AnswersThatBreakTheRulesAreProtocolFailures) {
  expect_all_fail({.body = "hello", .headers = {{"content-length", "3"}}}, "protocol");
  expect_all_fail({.status = 101, .body = "hello"}, "protocol");
}

TEST(Http2, HeadersWithoutEndAreAProtocolFailure) {
  Http2Reply reply{.body = "hello"};
  for (int i = 0; i < 10; ++i) reply.headers.emplace_back("x-large", std::string(10'000, 'a'));
  expect_all_fail(reply, "protocol", "too many header bytes");
}

TEST(Http2, ATimeoutSaysWhichPhaseItEnded) {
  expect_all_fail({.status = 0, .then = Then::kStall}, "timeout_wait",
                  "waiting for the first byte");
  expect_all_fail({.body = "half", .then = Then::kStall}, "timeout_transfer", "while receiving");
}

TEST(Http2, ATimeoutEndsItsStreamAndNotTheConnection) {
  Http2Server server([](const Http2Seen& seen) {
    if (seen.headers.at(":path") == "/") return hello(seen);
    return Http2Reply{.status = 0, .then = Then::kStall};
  });
  json load = http2_load(6);
  load["timeout_ns"] = 100 * kMs;
  load["requests"][0]["weight"] = 1'000;
  load["requests"].push_back(request("stalls", "GET", "/stalls"));
  const PluginRun run(server.url(), load, 50, 350);
  EXPECT_GT(run.host.total("http_requests_total{endpoint=stalls"), 0);
  EXPECT_EQ(run.failures("", "200"), run.host.total("http_requests_total{endpoint=home"));
}

TEST(Http2, AConnectionThatHasGoneSilentIsLeft) {
  Http2Server server([](const Http2Seen& seen) {
    return seen.connection == 1 ? Http2Reply{.status = 0, .then = Then::kStall} : hello(seen);
  });
  json load = http2_load(3);
  load["timeout_ns"] = 50 * kMs;
  const PluginRun run(server.url(), load, 100, 200);
  EXPECT_LE(run.failures("timeout_wait"), 6) << run.host.tables.at("http_errors").dump();
  EXPECT_GT(run.failures("", "200"), 0);
  EXPECT_EQ(server.connections(), 2u);
}

TEST(Http2, ReturnsSoonWhenInterrupted) {
  std::atomic<PluginRun*> driven{nullptr};
  std::atomic<int> received = 0;
  std::optional<Http2Server> server(std::in_place, [&](const Http2Seen&) {
    if (++received == 5) driven.load()->interrupt();  // on a thread of the server
    return Http2Reply{.status = 0, .then = Then::kStall};
  });
  PluginRun run(server->url(), http2_load(5));
  driven = &run;
  run.drive(5'000, 60'000);
  server.reset();  // whoever interrupts has returned before the plugin goes
  EXPECT_LT(run.returned_ns - run.interrupted_ns, 2'000 * kMs);
  EXPECT_EQ(run.host.last("http_in_flight{}"), 5);
}

// ---- the transport by itself

class MonotonicClock final : public Clock {
 public:
  int64_t now_ns() const override { return monotonic_ns(); }
};

// Keeps what it is told, and has enough after `most` bytes.
class KeepingSink final : public AnswerSink {
 public:
  explicit KeepingSink(size_t most = 1 << 30) : most_(most) {}
  void on_answer(int status) override { statuses.push_back(status); }
  void on_header(std::string_view name, std::string_view value) override {
    headers.emplace(name, value);
  }
  bool on_body(std::string_view bytes, int64_t now_ns) override {
    body += bytes;
    last_ns = now_ns;
    return body.size() < most_;
  }

  std::vector<int> statuses;
  std::map<std::string, std::string> headers;
  std::string body;
  int64_t last_ns = 0;

 private:
  size_t most_;
};

class Http2TransportTest : public testing::Test, protected CompletionHandler {
 protected:
  void open(const std::string& url, int64_t timeout_ms = 5'000) {
    const json document = {{"target", {{"url", url}}},
                           {"load",
                            {{"model", "closed"},
                             {"users", 10},
                             {"protocol", "http2"},
                             {"timeout_ns", timeout_ms * kMs},
                             {"requests", json::array({{{"name", "home"}, {"path", "/home"}}})}}}};
    auto plan = parse_load_plan(document.dump(), 0);
    ASSERT_TRUE(plan.is_ok()) << plan.status().message();
    plan_ = std::move(plan).value();
    auto transport = Http2Transport::open(plan_, clock_, stop_);
    ASSERT_TRUE(transport.is_ok());
    transport_ = std::move(transport).value();
  }
  void poll_until_idle() {
    const int64_t end = monotonic_ns() + 10'000 * kMs;
    while (transport_->in_flight() > 0 && monotonic_ns() < end) transport_->poll(end, *this);
    ASSERT_EQ(transport_->in_flight(), 0u);
  }
  void on_completion(Completion& completion) override {
    completions_.push_back(completion);
    completions_.back().detail = {};
    completions_.back().server_timing = {};
    if (then_) std::exchange(then_, nullptr)();
  }

  MonotonicClock clock_;
  StopFlag stop_;
  LoadPlan plan_;
  std::unique_ptr<Http2Transport> transport_;
  std::vector<Completion> completions_;
  std::function<void()> then_;  // with the next completion
};

TEST_F(Http2TransportTest, SendsAMessageOfItsOwnAndPassesOnTheAnswer) {
  Http2Server server([](const Http2Seen& seen) {
    return Http2Reply{.status = 201, .body = "got " + seen.body, .headers = {{"x-id", "7"}}};
  });
  open(server.url());
  Message message;
  message.method = "POST";
  message.path = "/own";
  message.headers = {{"X-Test", "a"}};
  message.body = "it";
  KeepingSink sink;
  transport_->start({.intended_ns = monotonic_ns(), .user = 3, .message = &message, .sink = &sink});
  poll_until_idle();
  ASSERT_EQ(completions_.size(), 1u);
  EXPECT_EQ(completions_[0].status, 201);
  EXPECT_EQ(completions_[0].user, 3u);
  EXPECT_EQ(sink.statuses, std::vector<int>{201});
  EXPECT_EQ(sink.headers["x-id"], "7");
  EXPECT_EQ(sink.body, "got it");
  EXPECT_EQ(sink.last_ns, completions_[0].times.finished_ns);
  EXPECT_EQ(server.seen()[0].headers.at(":path"), "/own");
  EXPECT_EQ(server.seen()[0].headers.at("x-test"), "a");
}

TEST_F(Http2TransportTest, ASinkThatHasEnoughEndsItsRequestAndNotTheConnection) {
  Http2Server server([](const Http2Seen& seen) {
    // One answer without end, beside others.
    if (seen.headers.at(":path") == "/events")
      return Http2Reply{.body = "event", .then = Then::kStall};
    return hello(seen);
  });
  open(server.url());
  Message events;
  events.path = "/events";
  KeepingSink enough(5);
  KeepingSink all;
  transport_->start({.intended_ns = monotonic_ns(), .message = &events, .sink = &enough});
  transport_->start({.intended_ns = monotonic_ns(), .user = 1, .sink = &all});
  poll_until_idle();
  transport_->start({.intended_ns = monotonic_ns(), .user = 2, .sink = &all});
  poll_until_idle();
  ASSERT_EQ(completions_.size(), 3u);
  for (const Completion& completion : completions_) {
    EXPECT_EQ(completion.error, ErrorClass::kNone) << completion.user;
    EXPECT_EQ(completion.status, 200);
  }
  EXPECT_EQ(enough.body, "event");
  EXPECT_EQ(all.body, "hellohello");
  EXPECT_EQ(server.connections(), 1u);
}

TEST_F(Http2TransportTest, ACompletionMayStartTheNextRequest) {
  Http2Server server(&hello);
  open(server.url());
  then_ = [&] { transport_->start({.intended_ns = monotonic_ns(), .user = 2}); };
  transport_->start({.intended_ns = monotonic_ns(), .user = 1});
  poll_until_idle();
  ASSERT_EQ(completions_.size(), 2u);
  EXPECT_EQ(completions_[1].user, 2u);
  EXPECT_EQ(completions_[1].connections_opened, 0u);
}

TEST_F(Http2TransportTest, PhasesSumToTheWholeTime) {
  Http2Server server(&hello);
  open(server.url());
  for (uint32_t i = 0; i < 10; ++i) transport_->start({.intended_ns = monotonic_ns(), .user = i});
  EXPECT_EQ(transport_->in_flight(), 10u);
  poll_until_idle();
  for (const Completion& completion : completions_) {
    int64_t sum = 0;
    for (const int64_t phase : completion.times.phases()) sum += phase;
    EXPECT_EQ(sum, completion.times.response_ns());
    EXPECT_GT(completion.times.phases()[kConnect], 0);
    EXPECT_GT(completion.times.sent_ns, completion.times.begun_ns);
    EXPECT_GT(completion.times.first_byte_ns, completion.times.sent_ns);
  }
}

TEST_F(Http2TransportTest, AnEarlyAnswerEndsARequestWhoseBodyIsStillOnItsWay) {
  // Beyond the window that the server grants, the body waits for a server that has decided.
  Message large;
  large.method = "POST";
  large.body = std::string(1 << 20, 'x');
  Http2Server server(&hello);
  open(server.url(), 200);
  transport_->start({.intended_ns = monotonic_ns(), .message = &large});
  transport_->start({.intended_ns = monotonic_ns(), .user = 1});
  poll_until_idle();
  EXPECT_EQ(completions_.size(), 2u);
}

TEST_F(Http2TransportTest, AbandonsWhatIsInFlightAndGoesOn) {
  std::atomic<bool> stalls = true;
  Http2Server server([&](const Http2Seen& seen) {
    return stalls ? Http2Reply{.body = "half", .then = Then::kStall} : hello(seen);
  });
  open(server.url());
  Message own;
  own.path = "/own";
  for (uint32_t i = 0; i < 10; ++i)
    transport_->start({.intended_ns = monotonic_ns(), .user = i, .message = &own});
  transport_->poll(monotonic_ns() + 20 * kMs, *this);
  transport_->abandon_all();
  EXPECT_EQ(transport_->in_flight(), 0u);
  stalls = false;
  transport_->start({.intended_ns = monotonic_ns(), .user = 77});
  poll_until_idle();
  ASSERT_EQ(completions_.size(), 1u);
  EXPECT_EQ(completions_[0].user, 77u);
  EXPECT_EQ(completions_[0].status, 200);
}

}  // namespace
}  // namespace plumb::http_load
