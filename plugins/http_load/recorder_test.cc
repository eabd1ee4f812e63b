#include "plugins/http_load/recorder.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "plugins/http_load/random.h"

namespace plumb::http_load {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kS = 1'000 * kMs;

struct Seen {
  int64_t start_ns;
  int64_t end_ns;
  uint64_t ok;
  uint64_t failed;
  uint64_t failed_service;
  std::array<uint64_t, kPhases> phase_counts;
  std::vector<std::string> timing_names;
};

class Sink final : public IntervalSink {
 public:
  void on_interval(const Interval& i) override {
    const EndpointInterval& e = i.endpoints[0];
    Seen s{i.start_ns,           i.end_ns, e.response[0].count(), e.response[1].count(),
           e.service[1].count(), {},       e.timing_names};
    for (size_t p = 0; p < kPhases; ++p) s.phase_counts[p] = e.phases[p].count();
    seen.push_back(s);
  }
  std::vector<Seen> seen;
};

Completion done_at(int64_t finished_ns, int status = 200) {
  Completion c;
  c.status = status;
  c.times.intended_ns = finished_ns - 5 * kMs;
  c.times.taken_ns = c.times.begun_ns = finished_ns - 4 * kMs;
  c.times.sent_ns = finished_ns - 3 * kMs;
  c.times.first_byte_ns = finished_ns - kMs;
  c.times.finished_ns = finished_ns;
  c.times.was_sent = true;
  return c;
}

class RecorderTest : public testing::Test {
 protected:
  RecorderTest() : requests_(1) { requests_[0].name = "home"; }
  std::vector<Request> requests_;
  std::vector<Stage> stages_ = {{PLUMB_STAGE_WARMUP, "warmup", 0, 1'500 * kMs},
                                {PLUMB_STAGE_STEADY, "steady", 1'500 * kMs, 3'700 * kMs}};
  Sink sink_;
  Recorder recorder_{requests_, Intervals(stages_), 0, sink_};
};

TEST(Intervals, CutEachSecondOfAStageAndAtItsEnd) {
  const std::vector<Stage> stages = {{PLUMB_STAGE_WARMUP, "w", 100, 100 + 1'500 * kMs},
                                     {PLUMB_STAGE_STEADY, "s", 100 + 1'500 * kMs, 4 * kS}};
  const Intervals intervals(stages);
  EXPECT_EQ(intervals.next_cut(0), 100);
  EXPECT_EQ(intervals.next_cut(100), 100 + kS);
  EXPECT_EQ(intervals.next_cut(100 + kS), 100 + 1'500 * kMs);
  EXPECT_EQ(intervals.next_cut(100 + 1'500 * kMs), 100 + 2'500 * kMs);
  EXPECT_EQ(intervals.next_cut(100 + 3'500 * kMs), 4 * kS);
  EXPECT_EQ(intervals.next_cut(4 * kS), 5 * kS);
  EXPECT_EQ(intervals.next_cut(5 * kS + 1), 6 * kS);
}

TEST_F(RecorderTest, CutsAtStageBoundariesByTimeOfCompletion) {
  recorder_.record(done_at(900 * kMs));
  recorder_.record(done_at(1'499'999'999));
  recorder_.record(done_at(1'500 * kMs));  // belongs to what begins then
  recorder_.record(done_at(3'699 * kMs));
  recorder_.finish(3'900 * kMs);
  ASSERT_EQ(sink_.seen.size(), 6u);
  const int64_t cuts[] = {0, kS, 1'500 * kMs, 2'500 * kMs, 3'500 * kMs, 3'700 * kMs, 3'900 * kMs};
  const uint64_t counts[] = {1, 1, 1, 0, 1, 0};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(sink_.seen[i].start_ns, cuts[i]);
    EXPECT_EQ(sink_.seen[i].end_ns, cuts[i + 1]);
    EXPECT_EQ(sink_.seen[i].ok, counts[i]) << i;
  }
}

TEST_F(RecorderTest, FinishesNoEmptyStretchOfTime) {
  recorder_.finish(kS);
  ASSERT_EQ(sink_.seen.size(), 1u);
}

TEST_F(RecorderTest, CountsEachGoodRequestOnceInEveryPhase) {
  recorder_.record(done_at(10 * kMs));
  recorder_.record(done_at(20 * kMs, 503));
  Completion refused;
  refused.error = ErrorClass::kRefused;
  refused.times.intended_ns = 20 * kMs;
  refused.times.finished_ns = 21 * kMs;
  refused.detail = "nobody there";
  recorder_.record(refused);
  recorder_.finish(30 * kMs);
  ASSERT_EQ(sink_.seen.size(), 1u);
  EXPECT_EQ(sink_.seen[0].ok, 1u);
  EXPECT_EQ(sink_.seen[0].failed, 2u);
  EXPECT_EQ(sink_.seen[0].failed_service, 1u) << "a refused request was never sent";
  for (const uint64_t count : sink_.seen[0].phase_counts) EXPECT_EQ(count, 1u);
  ASSERT_EQ(recorder_.outcomes().size(), 3u);
  EXPECT_EQ(recorder_.outcomes()[1].examples, std::vector<std::string>{"GET / answered 503"});
  EXPECT_EQ(recorder_.outcomes()[2].examples, std::vector<std::string>{"nobody there"});
  EXPECT_EQ(recorder_.totals().finished, 3u);
}

TEST_F(RecorderTest, KeepsAtMostSixteenTimingNames) {
  std::string headers;
  for (int i = 0; i < 40; ++i) headers += "m" + std::to_string(i) + ";dur=1,";
  Completion c = done_at(10 * kMs);
  c.server_timing = headers;
  recorder_.record(c);
  recorder_.finish(20 * kMs);
  ASSERT_EQ(sink_.seen[0].timing_names.size(), 16u);
  EXPECT_EQ(sink_.seen[0].timing_names.back(), "m15");
}

TEST_F(RecorderTest, BoundsTheOutcomesThatItTellsApart) {
  for (int status = 0; status < 900; ++status) recorder_.record(done_at(10 * kMs, status));
  EXPECT_LE(recorder_.outcomes().size(), 501u);
  uint64_t total = 0;
  for (const Outcome& o : recorder_.outcomes()) total += o.count;
  EXPECT_EQ(total, 900u);
}

TEST(Timeline, PhasesSumToTheResponseTime) {
  Timeline t = done_at(10 * kMs).times;
  const auto sum = [](const Timeline& of) {
    const auto p = of.phases();
    return std::accumulate(p.begin(), p.end(), int64_t{0});
  };
  EXPECT_EQ(sum(t), t.response_ns());
  EXPECT_EQ(t.phases()[kLag], kMs);
  EXPECT_EQ(t.phases()[kQueue], 0);
  EXPECT_EQ(t.phases()[kConnect], 0);
  EXPECT_EQ(t.phases()[kSend], kMs);
  EXPECT_EQ(t.phases()[kWait], 2 * kMs);
  EXPECT_EQ(t.phases()[kTransfer], kMs);
  EXPECT_EQ(t.service_ns(), 4 * kMs);
}

TEST(Timeline, PhasesSumWhateverTheMilestones) {
  Random random(3);
  for (int i = 0; i < 100'000; ++i) {
    Timeline t;
    int64_t* fields[] = {&t.intended_ns,  &t.taken_ns,   &t.begun_ns, &t.resolved_ns,
                         &t.connected_ns, &t.secured_ns, &t.sent_ns,  &t.first_byte_ns};
    for (int64_t* field : fields) *field = static_cast<int64_t>(random.next() % 1'000);
    t.finished_ns = static_cast<int64_t>(random.next() % 1'000);
    int64_t total = 0;
    for (const int64_t phase : t.phases()) {
      ASSERT_GE(phase, 0);
      total += phase;
    }
    ASSERT_EQ(total, t.response_ns());
    ASSERT_LE(t.service_ns(), total);
  }
}

}  // namespace
}  // namespace plumb::http_load
