#include "plugins/http_load/abort_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "plugins/http_load/clock.h"

namespace plumb::http_load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AbortWatchTest : public testing::Test {
 protected:
  class Passed final : public IntervalSink {
   public:
    void on_interval(const Interval&) override { ++intervals; }
    int intervals = 0;
  };

  void watch(const AbortLimits& limits) {
    watch_ = std::make_unique<AbortWatch>(limits, 0, passed_,
                                          [this](const std::string& s) { said_.push_back(s); });
  }
  // A second in which `due` fell due and `ok` and `failed` were answered within `ms`.
  void second(uint64_t due, uint64_t ok, uint64_t failed, uint64_t ms = 1) {
    totals_.scheduled += due;
    totals_.finished += ok + failed;
    endings_[0].failed += failed;
    std::vector<EndpointInterval> endpoints(1);
    endpoints[0].response[0].record(ms * 1'000'000, ok);
    endpoints[0].response[1].record(ms * 1'000'000, failed);
    const int64_t start_ns = now_ns_;
    now_ns_ += kSecond;
    watch_->on_interval({start_ns, now_ns_, endpoints, {}, endings_, totals_});
  }

  Passed passed_;
  Totals totals_;
  std::vector<Endings> endings_ = std::vector<Endings>(1);
  int64_t now_ns_ = 0;
  std::vector<std::string> said_;
  std::unique_ptr<AbortWatch> watch_;
};

TEST_F(AbortWatchTest, EndsALoadThatFailsTooOften) {
  watch({.error_rate = 0.5, .over_ns = 3 * kSecond});
  second(10, 0, 10);
  second(10, 0, 10);
  EXPECT_THAT(said_, IsEmpty()) << "three seconds have not passed";
  second(10, 9, 1);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("70% of the requests of the last 3 s failed")));
  second(10, 0, 10);
  EXPECT_EQ(said_.size(), 1u) << "once";
  EXPECT_EQ(passed_.intervals, 4);
}

TEST_F(AbortWatchTest, ForgetsWhatIsLongAgo) {
  watch({.error_rate = 0.5, .over_ns = 2 * kSecond});
  second(10, 10, 0);
  second(10, 10, 0);
  second(10, 4, 6);
  EXPECT_THAT(said_, IsEmpty());
  second(10, 4, 6);
  EXPECT_EQ(said_.size(), 1u);
}

TEST_F(AbortWatchTest, EndsALoadThatIsTooSlowOrNotReached) {
  watch({.p99_ns = 100'000'000, .over_ns = kSecond});
  second(10, 10, 0, 50);
  EXPECT_THAT(said_, IsEmpty());
  second(10, 10, 0, 200);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("p99 of the last 1 s is 200")));
  said_.clear();
  watch({.rate = 0.9, .over_ns = kSecond});
  totals_ = {};
  now_ns_ = 0;
  second(100, 95, 0);
  EXPECT_THAT(said_, IsEmpty());
  second(100, 80, 0);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("only 80% of the requests due")));
}

TEST_F(AbortWatchTest, WithoutLimitsWatchesNothing) {
  watch({});
  for (int i = 0; i < 20; ++i) second(10, 0, 10, 10'000);
  EXPECT_THAT(said_, IsEmpty());
  EXPECT_EQ(passed_.intervals, 20);
}

}  // namespace
}  // namespace plumb::http_load
