#include "core/facts/recovery.h"

#include <gtest/gtest.h>

#include "core/facts/run_builder.h"

namespace plumb::facts {
namespace {

using testing::RunBuilder;
constexpr int64_t kSecond = RunBuilder::kSecond;
const Labels kSale = {{"stage", "sale"}};

// Steady for five seconds, a spike of two, and then one value a second.
store::RunData spiked(const std::vector<double>& after) {
  RunBuilder run;
  run.histogram("http_response_seconds", 0.01, 100, {{"endpoint", "a"}, {"outcome", "ok"}});
  store::RunData data = run.data();
  data.stages = {{PLUMB_STAGE_STEADY, "before", 0, 5 * kSecond},
                 {PLUMB_STAGE_SPIKE, "sale", 5 * kSecond, 7 * kSecond},
                 {PLUMB_STAGE_STEADY, "after", 7 * kSecond, 12 * kSecond}};
  auto& records = data.series[0].histograms;
  for (size_t i = 5; i < records.size(); ++i) {
    const double seconds = i < 7 ? 0.5 : i - 7 < after.size() ? after[i - 7] : 0.01;
    records[i].histogram = Histogram();
    records[i].histogram.record(static_cast<uint64_t>(seconds * 1e9), 100);
  }
  return data;
}

TEST(Recovery, IsTheTimeUntilThingsAreAsTheyWereBeforeAndStaySo) {
  FactSet facts;
  add_recovery(spiked({0.4, 0.01, 0.2, 0.011, 0.012}), facts);
  EXPECT_FALSE(facts.value("spike.recovery", kSale).has_value()) << "two seconds in a row are none";
  EXPECT_EQ(facts.value("spike.recovered", kSale), 0);
  FactSet sooner;
  add_recovery(spiked({0.4, 0.2, 0.01, 0.011, 0.012}), sooner);
  EXPECT_NEAR(sooner.value("spike.base_p95", kSale).value(), 0.01, 1e-4);
  EXPECT_NEAR(sooner.value("spike.p95", kSale).value(), 0.5, 5e-3);
  EXPECT_DOUBLE_EQ(sooner.value("spike.recovery", kSale).value(), 2);
  EXPECT_EQ(sooner.value("spike.recovered", kSale), 1);
}

TEST(Recovery, ThatDoesNotComeUnderTheSameLoadIsToldWithWhatStaysUp) {
  FactSet facts;
  add_recovery(spiked({0.4, 0.3, 0.2, 0.2, 0.2}), facts);
  EXPECT_EQ(facts.value("spike.unrecovered", kSale), 5);
  EXPECT_NEAR(facts.value("spike.later_p95", kSale).value(), 0.2, 2e-3);
  EXPECT_EQ(facts.value("spike.later_error_rate", kSale), 0);
  FactSet recovered;
  add_recovery(spiked({0.4, 0.2, 0.01, 0.011, 0.012}), recovered);
  EXPECT_FALSE(recovered.value("spike.unrecovered", kSale).has_value());
}

TEST(Recovery, IsNotMissedWhereAnotherLoadFollows) {
  store::RunData data = spiked({0.4, 0.3, 0.2, 0.2, 0.2});
  data.stages.back().kind = PLUMB_STAGE_COOLDOWN;
  FactSet facts;
  add_recovery(data, facts);
  EXPECT_EQ(facts.value("spike.recovered", kSale), 0);
  EXPECT_FALSE(facts.value("spike.unrecovered", kSale).has_value());
}

TEST(Recovery, OfASpikeWithoutALoadBeforeItIsUnknown) {
  store::RunData data = spiked({});
  data.stages.erase(data.stages.begin());
  FactSet facts;
  add_recovery(data, facts);
  EXPECT_EQ(facts.size(), 0u);
}

}  // namespace
}  // namespace plumb::facts
