#include "core/engine/signal_receiver.h"

#include <gtest/gtest.h>

#include <optional>

#include "core/host/protocol.h"
#include "tests/integration/recording_sink.h"

namespace plumb::engine {
namespace {

constexpr int64_t kBegin = 1'000;
constexpr int64_t kNow = 2'000;

class SignalReceiverTest : public ::testing::Test {
 protected:
  Status take(const std::string& bytes) {
    host::FrameReader reader;
    reader.append(bytes);
    const auto frame = reader.next();
    return receiver_.take(**frame, kNow);
  }
  static SeriesInfo series(uint32_t id, const std::string& name) {
    SeriesInfo out;
    out.id = id;
    out.name = name;
    out.unit = "1";
    return out;
  }

  const std::vector<std::string> secrets_ = {"hunter2"};
  RecordingSink sink_;
  SeriesIds ids_;
  SignalReceiver receiver_{"pg_stats", kBegin, secrets_, sink_, ids_};
};

TEST_F(SignalReceiverTest, SeriesGetTheRunsIds) {
  ids_.next();
  ids_.next();
  ASSERT_TRUE(take(host::encode(series(1, "a"))).is_ok());
  ASSERT_TRUE(take(host::encode(std::vector<Sample>{{1, kNow, 7}})).is_ok());
  const auto heard = sink_.heard();
  EXPECT_EQ(heard.series[0].id, 3u);
  EXPECT_EQ(heard.series[0].plugin, "pg_stats");
  EXPECT_EQ(heard.samples[0].series, 3u);
}

TEST_F(SignalReceiverTest, IdsThatSkipOrRepeatBreakTheProtocol) {
  EXPECT_FALSE(take(host::encode(series(2, "a"))));
  EXPECT_FALSE(SignalReceiver("x", kBegin, secrets_, sink_, ids_)
                   .take({host::FrameType::kSeries, "{}"}, kNow));
}

TEST_F(SignalReceiverTest, ASeriesDeclaredTwiceBreaksTheProtocol) {
  ASSERT_TRUE(take(host::encode(series(1, "a"))).is_ok());
  EXPECT_FALSE(take(host::encode(series(1, "a"))));
  EXPECT_FALSE(take(host::encode(series(2, "a"))));
}

TEST_F(SignalReceiverTest, NothingOfABadBatchReachesTheSink) {
  ASSERT_TRUE(take(host::encode(series(1, "a"))).is_ok());
  EXPECT_FALSE(take(host::encode(std::vector<Sample>{{1, kNow, 1}, {2, kNow, 1}})));
  EXPECT_FALSE(take(host::encode(std::vector<Sample>{{1, kBegin - 1, 1}})));
  EXPECT_TRUE(sink_.heard().samples.empty());
}

TEST_F(SignalReceiverTest, HistogramsArriveWhole) {
  SeriesInfo declared = series(1, "http_seconds");
  declared.kind = PLUMB_KIND_HISTOGRAM;
  ASSERT_TRUE(take(host::encode(declared)).is_ok());
  Histogram h;
  h.record(1'000, 5);
  ASSERT_TRUE(
      take(*host::encode(host::HistogramMessage{1, kBegin, kNow, h.precision_bits(), h.buckets(),
                                                h.sum(), h.minimum(), h.maximum()}))
          .is_ok());
  EXPECT_EQ(sink_.heard().histograms[0].histogram.count(), 5u);
  EXPECT_EQ(sink_.heard().histograms[0].histogram.sum(), 5'000u);
}

TEST_F(SignalReceiverTest, SecretsAreTakenOutOfWords) {
  ASSERT_TRUE(take(host::encode(Event{"", kNow, PLUMB_INFO, "x", "with hunter2", "{}"})).is_ok());
  ASSERT_TRUE(take(host::encode(TableRecord{
                       "", kNow, "t",
                       R"({"title":"hunter2","columns":[{"key":"a","title":"A"}],"rows":[]})"}))
                  .is_ok());
  EXPECT_EQ(sink_.heard().events[0].message, "with ***");
  EXPECT_EQ(sink_.heard().events[0].plugin, "pg_stats");
  EXPECT_EQ(sink_.heard().tables[0].json.find("hunter2"), std::string::npos);
}

TEST_F(SignalReceiverTest, StacksArriveUnderThePluginsNameAndWithoutSecrets) {
  const StackBatch batch{{},
                         "on_cpu",
                         "seconds",
                         "of hunter2",
                         PLUMB_LAYER_APP,
                         kBegin,
                         kNow,
                         {{"shop;login(hunter2);check", 2}}};
  ASSERT_TRUE(take(*host::encode(batch)).is_ok());
  const auto heard = sink_.heard();
  ASSERT_EQ(heard.stacks.size(), 1u);
  EXPECT_EQ(heard.stacks[0].plugin, "pg_stats");
  EXPECT_EQ(heard.stacks[0].help, "of ***");
  EXPECT_EQ(heard.stacks[0].stacks[0].frames, "shop;login(***);check");
  EXPECT_EQ(heard.stacks[0].stacks[0].weight, 2);
}

TEST_F(SignalReceiverTest, StacksFromTheFutureBreakTheProtocol) {
  const StackBatch batch{
      {}, "on_cpu", "1", {}, PLUMB_LAYER_APP, kBegin, kNow + 5'000'000'000, {{"a", 1}}};
  EXPECT_FALSE(take(*host::encode(batch)));
  EXPECT_TRUE(sink_.heard().stacks.empty());
}

}  // namespace
}  // namespace plumb::engine
