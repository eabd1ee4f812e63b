#include "plugins/http_load/interval_merger.h"

#include <gtest/gtest.h>

#include <thread>

namespace plumb::http_load {
namespace {

struct Seen {
  int64_t start_ns, end_ns;
  uint64_t answered, scheduled, failed;
};

class KeepingSink final : public IntervalSink {
 public:
  void on_interval(const Interval& i) override {
    uint64_t failed = 0;
    for (const Outcome& o : i.outcomes)
      if (o.failed) failed += o.count;
    seen.push_back(
        {i.start_ns, i.end_ns, i.endpoints[0].response[0].count(), i.totals.scheduled, failed});
  }
  std::vector<Seen> seen;
};

// One worker's interval up to `end_ns`, with `answered` answers in it and running figures.
void hand_over(IntervalSink& sink, int64_t end_ns, uint64_t answered, uint64_t scheduled,
               uint64_t failed = 0) {
  std::vector<EndpointInterval> endpoints(1);
  endpoints[0].response[0].record(1'000, answered);
  const std::vector<Outcome> outcomes = {{0, 500, ErrorClass::kNone, true, failed, {"x"}}};
  const std::vector<Endings> endings = {{scheduled, answered, failed, 0}};
  Totals totals;
  totals.scheduled = scheduled;
  sink.on_interval({0, end_ns, endpoints, outcomes, endings, totals});
}

TEST(IntervalMerger, HandsOnACutWhenAllWorkersHavePassedItWithTheFiguresOfThatCut) {
  IntervalMerger merger(2, 1, 0);
  hand_over(merger.sink(0), 10, 5, 5, 1);
  hand_over(merger.sink(0), 20, 7, 12, 2);  // ahead of the other
  hand_over(merger.sink(1), 10, 3, 3);
  hand_over(merger.sink(1), 20, 4, 7, 1);
  merger.finished(0);
  merger.finished(1);
  KeepingSink sink;
  merger.run(sink);
  ASSERT_EQ(sink.seen.size(), 2u);
  EXPECT_EQ(sink.seen[0].end_ns, 10);
  EXPECT_EQ(sink.seen[0].answered, 8u);
  EXPECT_EQ(sink.seen[0].scheduled, 8u);
  EXPECT_EQ(sink.seen[0].failed, 1u);
  EXPECT_EQ(sink.seen[1].start_ns, 10);
  EXPECT_EQ(sink.seen[1].answered, 11u);
  EXPECT_EQ(sink.seen[1].scheduled, 19u);
  EXPECT_EQ(sink.seen[1].failed, 3u);
}

TEST(IntervalMerger, CountsAWorkerThatEndedEarlierOnce) {
  IntervalMerger merger(2, 1, 0);
  hand_over(merger.sink(0), 10, 5, 5);
  merger.finished(0);
  hand_over(merger.sink(1), 10, 1, 1);
  hand_over(merger.sink(1), 13, 1, 2);
  merger.finished(1);
  KeepingSink sink;
  merger.run(sink);
  ASSERT_EQ(sink.seen.size(), 2u);
  EXPECT_EQ(sink.seen[1].answered, 1u);
  EXPECT_EQ(sink.seen[1].scheduled, 7u);
}

TEST(IntervalMerger, TakesFromThreads) {
  constexpr int kWorkers = 4;
  constexpr int kCuts = 50;
  IntervalMerger merger(kWorkers, 1, 0);
  std::vector<std::jthread> threads;
  for (size_t w = 0; w < kWorkers; ++w)
    threads.emplace_back([&merger, w] {
      for (uint64_t cut = 1; cut <= kCuts; ++cut)
        hand_over(merger.sink(w), static_cast<int64_t>(cut), 1, cut);
      merger.finished(w);
    });
  KeepingSink sink;
  merger.run(sink);
  ASSERT_EQ(sink.seen.size(), static_cast<size_t>(kCuts));
  for (size_t i = 0; i < sink.seen.size(); ++i) {
    EXPECT_EQ(sink.seen[i].answered, static_cast<uint64_t>(kWorkers));
    EXPECT_EQ(sink.seen[i].scheduled, kWorkers * (i + 1));
  }
}

}  // namespace
}  // namespace plumb::http_load
