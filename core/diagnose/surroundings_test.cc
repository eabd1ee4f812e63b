#include "core/diagnose/surroundings.h"

#include <gtest/gtest.h>

#include "core/facts/run_builder.h"

namespace plumb::diagnose {
namespace {

using plumb::testing::RunBuilder;

// The sentence of the check of that name, empty where it passed; "absent" where nobody looked.
std::string doubt_of(RunBuilder& run, const std::string& name) {
  facts::FactSet facts = facts::compute(run.data());
  const auto window = facts::steady_window(run.data()).value();
  for (const ValidityCheck& check : check_surroundings(run.data(), window, facts))
    if (check.name == name) return check.passed ? "" : check.sentence;
  return "absent";
}

TEST(Surroundings, SeeAWarmUpThatWasTooShort) {
  RunBuilder cold;
  cold.response_over_time(
      {0.1, 0.1, 0.09, 0.08, 0.05, 0.03, 0.02, 0.0199, 0.0198, 0.0197, 0.0196, 0.0195});
  EXPECT_NE(doubt_of(cold, "warm-up-over").find("still falling"), std::string::npos);
  RunBuilder warm;
  warm.response_over_time(
      {0.1, 0.05, 0.02, 0.021, 0.019, 0.02, 0.022, 0.02, 0.021, 0.019, 0.02, 0.021});
  EXPECT_EQ(doubt_of(warm, "warm-up-over"), "");
}

TEST(Surroundings, SeeTimeThatTheHypervisorTook) {
  RunBuilder run;
  run.gauge("host_cpus", 2).counter("host_cpu_seconds_total", 0.3, {{"mode", "steal"}});
  EXPECT_NE(doubt_of(run, "host-quiet").find("hypervisor kept 15%"), std::string::npos);
}

TEST(Surroundings, SeeStrangersOnlyWhereTheyTakeWhatIsNeeded) {
  RunBuilder busy;
  busy.gauge("host_cpus", 2)
      .counter("others_cpu_seconds_total", 1)
      .gauge("host_cpu_busy_ratio", 0.98, {}, "ratio");
  EXPECT_NE(doubt_of(busy, "host-quiet").find("50%"), std::string::npos);
  busy.gauge("host_cpu_busy_ratio", 0.6, {}, "ratio");
  EXPECT_EQ(doubt_of(busy, "host-quiet"), "");
  RunBuilder unwatched;
  EXPECT_EQ(doubt_of(unwatched, "host-quiet"), "absent");
}

TEST(Surroundings, SeeASamplerThatWasSilent) {
  RunBuilder run;
  run.gauge("pg_sessions", 1);
  EXPECT_EQ(doubt_of(run, "samples-whole"), "absent");
  std::vector<int64_t>& times = run.data().series.back().times_ns;
  times.erase(times.begin() + 5, times.begin() + 10);
  run.data().series.back().values.resize(times.size());
  EXPECT_NE(doubt_of(run, "samples-whole").find("test for 6.00 s"), std::string::npos)
      << doubt_of(run, "samples-whole");
}

TEST(Surroundings, LeaveASamplerThatTellsSomethingEveryFewSecondsAlone) {
  RunBuilder run;
  run.gauge("profile_samples", 1);
  store::SeriesData& series = run.data().series.back();
  const StageSpan& stage = run.data().stages.back();
  series.times_ns = {stage.start_ns - RunBuilder::kSecond,
                     stage.start_ns + RunBuilder::kSecond / 100,
                     stage.end_ns - RunBuilder::kSecond / 5, stage.end_ns};
  series.values.resize(series.times_ns.size());
  EXPECT_EQ(doubt_of(run, "samples-whole"), "absent");
}

TEST(Surroundings, SeeAClockThatWasSet) {
  RunBuilder run;
  run.data().events.push_back({"host_metrics", 5 * RunBuilder::kSecond, PLUMB_WARNING, "clock-step",
                               "the wall clock was set by 3 s"});
  EXPECT_NE(doubt_of(run, "clock-steady").find("3 s"), std::string::npos);
}

}  // namespace
}  // namespace plumb::diagnose
