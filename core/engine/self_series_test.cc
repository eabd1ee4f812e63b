#include "core/engine/self_series.h"

#include <gtest/gtest.h>

#include "tests/integration/recording_sink.h"

namespace plumb::engine {
namespace {

constexpr int64_t kInstant = 5'000'000'000;

class SelfSeriesTest : public ::testing::Test {
 protected:
  std::vector<double> values(const char* name) { return sink_.heard().values(name); }

  RecordingSink sink_;
  SeriesIds ids_;
  SelfSeries self_{"pg_stats", sink_, ids_};
};

TEST_F(SelfSeriesTest, ProcessorTimeNeverFalls) {
  self_.emit_cpu(2.0, kInstant);
  self_.emit_cpu(1.5, kInstant + 1);
  EXPECT_EQ(values("plumb_cpu_seconds_total"), (std::vector<double>{2.0, 2.0}));
}

TEST_F(SelfSeriesTest, ASeriesIsTheEnginesAndNamesTheProcess) {
  self_.emit_dropped(3, kInstant);
  const auto heard = sink_.heard();
  EXPECT_EQ(heard.find("plumb_dropped_total")->plugin, "engine");
  EXPECT_EQ(heard.find("plumb_dropped_total")->labels, (Labels{{"plugin", "pg_stats"}}));
}

TEST_F(SelfSeriesTest, OnlyWhatWasSaidIsDeclared) {
  self_.emit_memory(4'096, kInstant);
  EXPECT_EQ(sink_.heard().series.size(), 1u);
}

TEST_F(SelfSeriesTest, SamplingIsToldInSeconds) {
  self_.emit_sampling({200'000'000, 3'000'000, 7, 1}, kInstant);
  EXPECT_EQ(values("plumb_collect_interval_seconds"), std::vector<double>{0.2});
  EXPECT_EQ(values("plumb_collect_late_seconds"), std::vector<double>{0.003});
  EXPECT_EQ(values("plumb_collects_skipped_total"), std::vector<double>{7});
  EXPECT_EQ(values("plumb_collects_failed_total"), std::vector<double>{1});
}

}  // namespace
}  // namespace plumb::engine
