#include "core/host/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/host/signal_check.h"
#include "core/host/wire.h"

namespace plumb::host {
namespace {

using ::testing::HasSubstr;

// The payload of the one frame in `bytes`.
std::string payload(const std::string& bytes) { return bytes.substr(kFrameHeader); }

SeriesInfo a_series() {
  SeriesInfo series;
  series.id = 1;
  series.name = "pg_sessions";
  series.unit = "1";
  series.help = "Sessions at an instant";
  series.layer = PLUMB_LAYER_DATABASE;
  series.part = PLUMB_PART_WAIT;
  series.labels = {{"class", "lock"}, {"database", "shöp"}};
  series.ledger_line = "database.lock";
  series.resource = "a pool connection";
  return series;
}

HistogramMessage a_histogram() {
  Histogram h;
  h.record(0);
  h.record(1'234'567, 3);
  h.record(Histogram::kLargest);
  return {7, 100, 200, h.precision_bits(), h.buckets(), h.sum(), h.minimum(), h.maximum()};
}

TEST(ProtocolTest, RequestsComeBackAsTheyWereSent) {
  const auto configure =
      decode_configure(payload(*encode(ConfigureRequest{3, {{"dsn", "x\"y"}, {"n", 5}}, "{}"})));
  ASSERT_TRUE(configure.is_ok()) << configure.status().message();
  EXPECT_EQ(configure->request, 3u);
  EXPECT_EQ(configure->values, (nlohmann::json{{"dsn", "x\"y"}, {"n", 5}}));
  EXPECT_EQ(configure->document, "{}");
  EXPECT_EQ(decode_start(payload(encode(StartRequest{4})))->request, 4u);
  EXPECT_EQ(decode_begin_sampling(payload(encode(BeginSampling{5'000'000})))->interval_ns,
            5'000'000);
  const auto stage =
      decode_stage(payload(encode(StageRequest{5, {PLUMB_STAGE_STEADY, "steady", 10, 20}})));
  EXPECT_EQ(stage->stage.name, "steady");
  EXPECT_EQ(stage->stage.end_ns, 20);
  const auto drive = decode_drive(payload(
      encode(DriveRequest{6, {{PLUMB_STAGE_WARMUP, "w", 1, 2}, {PLUMB_STAGE_STEADY, "s", 2, 3}}})));
  ASSERT_EQ(drive->stages.size(), 2u);
  EXPECT_EQ(drive->stages[1].kind, uint32_t{PLUMB_STAGE_STEADY});
  const auto analyze = decode_analyze(payload(*encode(AnalyzeRequest{7, R"({"a":"ö"})"})));
  EXPECT_EQ(analyze->request, 7u);
  EXPECT_EQ(analyze->json, R"({"a":"ö"})");
  EXPECT_EQ(decode_stop(payload(encode(StopRequest{8, 99})))->deadline_ns, 99);
}

TEST(ProtocolTest, AnswersComeBackAsTheyWereSent) {
  const auto hello = decode_hello(payload(encode(Hello{"pg_stats", "1.2.3", PLUMB_ROLE_SAMPLER})));
  EXPECT_EQ(hello->name, "pg_stats");
  const auto refused = decode_refused(payload(encode(Refused{PLUMB_UNSUPPORTED, "no"})));
  EXPECT_EQ(refused->code, PLUMB_UNSUPPORTED);
  const auto reply = decode_reply(payload(encode(Reply{9, PLUMB_UNAVAILABLE, "later"})));
  EXPECT_EQ(reply->request, 9u);
  EXPECT_EQ(reply->message, "later");
  const auto beat =
      decode_heartbeat(payload(encode(Heartbeat{"collect", 5, 1, 2, 3, 4, 100, 7, 30'000})));
  EXPECT_EQ(beat->call, "collect");
  EXPECT_EQ(beat->dropped, 1u);
  EXPECT_EQ(beat->failed_collects, 4u);
  EXPECT_EQ(beat->interval_ns, 100);
  EXPECT_EQ(beat->late_ns, 7);
  EXPECT_EQ(beat->cpu_used_ppm, 30'000u);
  EXPECT_EQ(decode_log(payload(encode(LogLine{PLUMB_WARNING, "hm"})))->message, "hm");
  EXPECT_EQ(decode_result(payload(*encode(AnalyzeResult{1, "[]"})))->json, "[]");
}

TEST(ProtocolTest, SignalsComeBackAsTheyWereSent) {
  const auto series = decode_series(payload(encode(a_series())));
  ASSERT_TRUE(series.is_ok()) << series.status().message();
  EXPECT_EQ(series->labels, a_series().labels);
  EXPECT_EQ(series->ledger_line, "database.lock");
  EXPECT_EQ(series->resource, "a pool connection");
  const auto samples =
      decode_samples(payload(encode(std::vector<Sample>{{1, 5, 0.5}, {2, 6, -1}})));
  ASSERT_EQ(samples->size(), 2u);
  EXPECT_EQ((*samples)[0].value, 0.5);
  EXPECT_EQ((*samples)[1].time_ns, 6);
  const HistogramMessage sent = a_histogram();
  const auto histogram = decode_histogram(payload(*encode(sent)));
  ASSERT_TRUE(histogram.is_ok()) << histogram.status().message();
  EXPECT_EQ(histogram->sum, sent.sum);
  EXPECT_EQ(histogram->buckets.size(), 3u);
  EXPECT_EQ(histogram->buckets[1].count, 3u);
  const auto event =
      decode_event(payload(encode(Event{"", 5, PLUMB_WARNING, "lock-seen", "x", R"({"pid":7})"})));
  EXPECT_EQ(event->attributes, R"({"pid":7})");
  const TableRecord table{
      "", 5, "pg_waits",
      R"({"title":"Waits","columns":[{"key":"e","title":"Event"}],"rows":[["x"],[1.5],[null]]})"};
  EXPECT_EQ(decode_table(payload(encode(table)))->json, table.json);
  EXPECT_EQ(decode_health(payload(encode(HealthChange{"", 5, PLUMB_HEALTH_DARK, "gone"})))->message,
            "gone");
}

TEST(ProtocolTest, JsonThatIsNoneOrTooMuchIsRefused) {
  const std::string deep = std::string(100'000, '[');
  const std::string in_object =
      R"({"request":)" + std::string(50, '[') + std::string(50, ']') + "}";
  for (const std::string& text :
       {std::string(), std::string("nonsense"), std::string("[1]"), std::string("{}"),
        std::string("{\"request\":-1}"), std::string("{\"request\":4294967296}"),
        std::string("{\"request\":1.5}"), std::string("{\"request\":\"1\"}"),
        std::string("{\"request\":1e999}"), std::string("{\"request\":1,"), std::string("\xff\xfe"),
        deep, in_object}) {
    EXPECT_FALSE(decode_start(text).is_ok()) << text.substr(0, 40);
    EXPECT_FALSE(decode_stop(text).is_ok()) << text.substr(0, 40);
    EXPECT_FALSE(decode_reply(text).is_ok()) << text.substr(0, 40);
    EXPECT_FALSE(decode_heartbeat(text).is_ok()) << text.substr(0, 40);
    EXPECT_FALSE(decode_series(text).is_ok()) << text.substr(0, 40);
    EXPECT_FALSE(decode_event(text).is_ok()) << text.substr(0, 40);
    EXPECT_FALSE(decode_table(text).is_ok()) << text.substr(0, 40);
    EXPECT_FALSE(decode_health(text).is_ok()) << text.substr(0, 40);
    EXPECT_FALSE(decode_configure(text).is_ok()) << text.substr(0, 40);
  }
}

TEST(ProtocolTest, AStrangeAbiOrRoleIsNoGreeting) {
  EXPECT_FALSE(decode_hello(R"({"abi_major":2,"name":"x","version":"1","role":1})").is_ok());
  EXPECT_FALSE(decode_hello(R"({"abi_major":1,"name":"x","version":"1","role":4})").is_ok());
}

TEST(ProtocolTest, AReplyWithAnUnknownCodeIsRefused) {
  EXPECT_FALSE(decode_reply(R"({"request":1,"code":10,"message":""})").is_ok());
  EXPECT_FALSE(decode_reply(R"({"request":1,"code":-1,"message":""})").is_ok());
}

TEST(ProtocolTest, AMessageThatIsTooLongIsRefused) {
  const std::string text(kMaxMessage + 1, 'x');
  EXPECT_FALSE(decode_log(R"({"level":1,"message":")" + text + "\"}").is_ok());
}

TEST(ProtocolTest, BatchesWhoseCountDoesNotFitTheirSizeAreRefused) {
  std::string bytes = payload(encode(std::vector<Sample>{{1, 2, 3}}));
  EXPECT_FALSE(decode_samples(bytes.substr(0, bytes.size() - 1)).is_ok());
  EXPECT_FALSE(decode_samples(bytes + "x").is_ok());
  EXPECT_FALSE(decode_samples("").is_ok());
  // A count that overflows when multiplied by the size of a sample.
  std::string huge;
  put(huge, std::numeric_limits<uint32_t>::max());
  EXPECT_FALSE(decode_samples(huge).is_ok());
  bytes = payload(*encode(a_histogram()));
  EXPECT_FALSE(decode_histogram(bytes.substr(0, bytes.size() - 1)).is_ok());
  EXPECT_FALSE(decode_histogram(bytes + "x").is_ok());
  EXPECT_FALSE(decode_histogram(bytes.substr(0, 20)).is_ok());
}

TEST(ProtocolTest, AnalysesAreTextAndFitAFrame) {
  EXPECT_FALSE(decode_analyze("ab").is_ok());
  EXPECT_FALSE(decode_analyze(std::string("\1\0\0\0a\0b", 7)).is_ok());
  EXPECT_FALSE(decode_result(std::string("\1\0\0\0\xff", 5)).is_ok());
  const auto frame = encode(AnalyzeRequest{1, std::string(kMaxPayload, 'x')});
  EXPECT_EQ(frame.status().code(), PLUMB_RESOURCE_EXHAUSTED);
  EXPECT_THAT(frame.status().message(), HasSubstr("4194304"));
}

}  // namespace
}  // namespace plumb::host
