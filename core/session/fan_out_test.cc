#include "core/session/fan_out.h"

#include <gtest/gtest.h>

namespace plumb::session {
namespace {

class Recorder final : public SignalSink {
 public:
  void on_series(const SeriesInfo& series) override { text += series.labels[0].second + ";"; }
  void on_samples(const std::vector<Sample>& samples) override { count += samples.size(); }
  void on_histogram(const HistogramRecord&) override { ++count; }
  void on_event(const Event& event) override { text += event.message + event.attributes + ";"; }
  void on_table(const TableRecord& table) override { text += table.json + ";"; }
  void on_stacks(const StackBatch& batch) override {
    text += batch.help + ";";
    for (const FoldedStack& stack : batch.stacks) text += stack.frames + ";";
    ++count;
  }
  void on_health(const HealthChange& change) override { text += change.message + ";"; }
  std::string text;
  size_t count = 0;
};

TEST(FanOut, EverySinkGetsEverything) {
  Recorder a;
  Recorder b;
  FanOut both({&a, &b}, {});
  both.on_samples({{1, 2, 3}, {1, 3, 4}});
  both.on_histogram({1, 0, 1, Histogram()});
  both.on_stacks({"p", "on_cpu", "seconds", {}, PLUMB_LAYER_APP, 0, 1, {{"a", 1}}});
  EXPECT_EQ(a.count, 4u);
  EXPECT_EQ(b.count, 4u);
}

TEST(FanOut, SecretsReachNoSink) {
  Recorder a;
  FanOut sink({&a}, {"hunter22"});
  sink.on_series(
      {.id = 1, .plugin = "p", .name = "n", .unit = "1", .labels = {{"k", "xhunter22"}}});
  sink.on_event({"p", 1, PLUMB_INFO, "kind", "is hunter22", "{\"a\":\"hunter22\"}"});
  sink.on_table({"p", 1, "t", "[\"hunter22\"]"});
  sink.on_health({"p", 1, PLUMB_HEALTH_DARK, "no hunter22"});
  sink.on_stacks({"p", "on_cpu", "seconds", "a hunter22", 0, 0, 1, {{"f(hunter22)", 1}}});
  EXPECT_EQ(a.text, "x***;is ***{\"a\":\"***\"};[\"***\"];no ***;a ***;f(***);");
}

}  // namespace
}  // namespace plumb::session
