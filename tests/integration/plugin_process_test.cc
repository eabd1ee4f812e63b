// Plugins that crash, hang, flood, lie and throw, each in a real plumb-host. Whatever they do, the
// engine's side lives on and says what happened.
#include "core/engine/plugin_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "tests/integration/recording_sink.h"

namespace plumb::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Heard = RecordingSink::Heard;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kInterval(20);
const std::filesystem::path kBuild = PLUMB_BINARY_DIR;

size_t open_descriptors() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                           std::filesystem::directory_iterator()));
}

class PluginProcessTest : public ::testing::Test {
 protected:
  void SetUp() override { descriptors_ = open_descriptors(); }
  void TearDown() override {
    process_.reset();
    errno = 0;
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie is left";
    EXPECT_EQ(errno, ECHILD);
    EXPECT_EQ(open_descriptors(), descriptors_) << "a descriptor is left open";
  }

  void spawn(const std::string& plugin, PluginLimits limits = {}) {
    PluginSpec spec;
    spec.name = plugin.substr(plugin.rfind('/') + 1);
    spec.library = kBuild / "tests" / "plugins" / (plugin + ".so");
    spec.host_executable = kBuild / "bin" / "plumb-host";
    spec.secrets = {"hunter2-secret"};
    spec.log = [this](uint32_t, const std::string& message) {
      const MutexLock lock(log_mutex_);
      log_ += message + "\n";
    };
    spec.limits = limits;
    auto made = PluginProcess::spawn(std::move(spec), sink_, ids_);
    ASSERT_TRUE(made.is_ok()) << made.status().message();
    process_ = std::move(made).value();
  }
  // A misbehave that does `how` in callback `in`, up to its first samples.
  void begin(const std::string& how, const std::string& in = "collect", PluginLimits limits = {},
             int after = 2, double cpu_budget = 0) {
    spawn("misbehave", limits);
    const Status configured = process_->configure(
        {{"how", how}, {"in", in}, {"after", after}, {"token", "hunter2-secret"}}, "{}");
    ASSERT_TRUE(configured.is_ok()) << configured.message();
    const Status started = process_->start();
    ASSERT_TRUE(started.is_ok()) << started.message();
    process_->begin_sampling(kInterval, cpu_budget);
  }
  bool wait_dark() {
    return sink_.wait_for([](const Heard& h) { return h.last_health(PLUMB_HEALTH_DARK); });
  }
  bool wait_ticks(size_t count) {
    return sink_.wait_for([=](const Heard& h) { return h.count("misbehave_ticks") >= count; });
  }
  std::vector<int64_t> tick_times() {
    const Heard heard = sink_.heard();
    const SeriesInfo* ticks = heard.find("misbehave_ticks");
    std::vector<int64_t> out;
    for (const Sample& s : heard.samples) {
      if (s.series == ticks->id) out.push_back(s.time_ns);
    }
    return out;
  }
  std::string log() {
    const MutexLock lock(log_mutex_);
    return log_;
  }
  // What every failure must leave behind: dark health and an event, with the reason.
  void expect_dark(const std::string& kind, const std::string& reason) {
    ASSERT_TRUE(wait_dark());
    const Heard heard = sink_.heard();
    EXPECT_THAT(heard.last_health(PLUMB_HEALTH_DARK)->message, HasSubstr(reason));
    EXPECT_GT(heard.last_health(PLUMB_HEALTH_DARK)->time_ns, 0);
    ASSERT_NE(heard.event(kind), nullptr);
    EXPECT_THAT(heard.event(kind)->message, HasSubstr(reason));
    EXPECT_EQ(process_->health().health, uint32_t{PLUMB_HEALTH_DARK});
    EXPECT_TRUE(process_->stop(seconds(1)).is_ok()) << "stopping what has ended is fine";
    EXPECT_FALSE(process_->is_alive());
  }

  size_t descriptors_ = 0;
  RecordingSink sink_;
  SeriesIds ids_;
  Mutex log_mutex_;
  std::string log_ PLUMB_GUARDED_BY(log_mutex_);
  std::unique_ptr<PluginProcess> process_;
};

TEST_F(PluginProcessTest, ABehavingPluginSamplesUntilItIsStopped) {
  begin("behave");
  ASSERT_TRUE(wait_ticks(3));
  process_->stage({PLUMB_STAGE_STEADY, "steady", monotonic_ns(), monotonic_ns() + 1'000'000'000});
  EXPECT_TRUE(sink_.wait_for([](const Heard& h) { return h.event("stage-seen"); }));
  EXPECT_TRUE(sink_.wait_for([](const Heard& h) {
    return h.count("plumb_cpu_seconds_total") >= 1 && h.count("plumb_resident_bytes") >= 1;
  }));
  const Status stopped = process_->stop(seconds(5));
  EXPECT_TRUE(stopped.is_ok()) << stopped.message();
  EXPECT_FALSE(process_->is_alive());
  const Heard heard = sink_.heard();
  EXPECT_TRUE(heard.health.empty());
  EXPECT_EQ(heard.find("misbehave_ticks")->plugin, "misbehave");
  EXPECT_EQ(heard.find("plumb_resident_bytes")->labels, (Labels{{"plugin", "misbehave"}}));
}

TEST_F(PluginProcessTest, ASamplerBeyondItsBudgetIsAskedMoreSeldomAndTheRunIsTold) {
  begin("burn", "collect", {}, 0, 0.001);
  // A window of five seconds, and a machine that may be busy with other things.
  ASSERT_TRUE(
      sink_.wait_for([](const Heard& h) { return h.event("sampler-slowed"); }, seconds(60)));
  const Heard heard = sink_.heard();
  EXPECT_THAT(heard.event("sampler-slowed")->message,
              HasSubstr("of a processor that cpu_budget allows: it is now asked every"));
  EXPECT_TRUE(sink_.wait_for([](const Heard& h) {
    const auto intervals = h.values("plumb_collect_interval_seconds");
    return !intervals.empty() && intervals.back() > 0.03;
  }));
  EXPECT_TRUE(heard.find("plumb_collect_late_seconds"));
}

TEST_F(PluginProcessTest, ASamplerThatRestsIsAskedAfterASecondAtMostAndSkipsNothing) {
  begin("rest", "collect", {}, 0);
  ASSERT_TRUE(wait_ticks(3));
  const std::vector<int64_t> times = tick_times();
  EXPECT_GE(times[1] - times[0], 900'000'000);
  EXPECT_GE(times[2] - times[1], 900'000'000);
  ASSERT_TRUE(
      sink_.wait_for([](const Heard& h) { return h.count("plumb_collects_skipped_total") >= 1; }));
  // A machine that is busy with other things may make a sampler late, but not by 45 ticks.
  EXPECT_LT(sink_.heard().values("plumb_collects_skipped_total").back(), 45);
  EXPECT_NEAR(sink_.heard().values("plumb_collect_interval_seconds").back(), 0.02, 1e-9);
}

TEST_F(PluginProcessTest, AStageEndsARest) {
  begin("rest", "collect", {}, 0);
  ASSERT_TRUE(wait_ticks(1));
  const int64_t now = monotonic_ns();
  process_->stage({PLUMB_STAGE_STEADY, "steady", now, now + 1'000'000'000});
  ASSERT_TRUE(wait_ticks(2));
  const std::vector<int64_t> times = tick_times();
  EXPECT_LT(times[1] - times[0], 900'000'000);
}

TEST_F(PluginProcessTest, APluginWrittenInCWorks) {
  spawn("plain_c");
  ASSERT_TRUE(process_->configure({{"value", 7}}, "{}").is_ok());
  ASSERT_TRUE(process_->start().is_ok());
  process_->begin_sampling(kInterval, 0);
  ASSERT_TRUE(sink_.wait_for([](const Heard& h) { return h.count("plain_c_value") >= 1; }));
  const Heard heard = sink_.heard();
  const SeriesInfo* series = heard.find("plain_c_value");
  EXPECT_EQ(series->labels, (Labels{{"written_in", "C"}}));
  for (const Sample& sample : heard.samples) {
    if (sample.series != series->id) continue;
    EXPECT_EQ(sample.value, 7);
  }
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok());
}

TEST_F(PluginProcessTest, ASegfaultInCollectGoesDarkAndKeepsWhatWasSeen) {
  begin("segfault");
  expect_dark("plugin-crashed", "was killed by SIGSEGV");
  EXPECT_GE(sink_.heard().count("misbehave_ticks"), 3u);
}

TEST_F(PluginProcessTest, ACrashTellsThePluginsLastWords) {
  begin("abort");
  expect_dark("plugin-crashed", "SIGABRT, having printed: something is very wrong");
}

TEST_F(PluginProcessTest, APluginThatExitsIsNoticed) {
  begin("exit");
  expect_dark("plugin-crashed", "exited with code 0 of its own accord");
}

TEST_F(PluginProcessTest, AHangInCollectIsKilled) {
  PluginLimits limits;
  limits.watch.collect = milliseconds(300);
  begin("hang", "collect", limits);
  expect_dark("plugin-hung", "collect did not return within 0.3 s");
}

TEST_F(PluginProcessTest, AHangInStageIsKilled) {
  PluginLimits limits;
  limits.watch.stage = milliseconds(300);
  begin("hang", "stage", limits, 0);
  process_->stage({PLUMB_STAGE_STEADY, "steady", 1, 2});
  expect_dark("plugin-hung", "stage did not return within 0.3 s");
}

TEST_F(PluginProcessTest, AHangInStopIsKilledAfterItsDeadline) {
  begin("hang", "stop", {}, 0);
  ASSERT_TRUE(wait_ticks(1));
  const Status stopped = process_->stop(milliseconds(300));
  EXPECT_EQ(stopped.code(), PLUMB_DEADLINE_EXCEEDED);
  expect_dark("plugin-hung", "stop did not return in time");
}

TEST_F(PluginProcessTest, AHangInDestroyIsKilled) {
  begin("hang", "destroy", {}, 0);
  EXPECT_EQ(process_->stop(milliseconds(300)).code(), PLUMB_DEADLINE_EXCEEDED);
  expect_dark("plugin-hung", "did not end within");
}

TEST_F(PluginProcessTest, AHangInConfigureFailsTheConfiguration) {
  PluginLimits limits;
  limits.configure = milliseconds(300);
  spawn("misbehave", limits);
  const Status configured = process_->configure({{"how", "hang"}, {"in", "configure"}}, "{}");
  EXPECT_EQ(configured.code(), PLUMB_DEADLINE_EXCEEDED);
  EXPECT_THAT(configured.message(), HasSubstr("configure did not return in time"));
  expect_dark("plugin-hung", "configure");
}

TEST_F(PluginProcessTest, AProcessThatStopsItselfCountsAsHung) {
  PluginLimits limits;
  limits.watch.heartbeat = milliseconds(2'500);
  begin("sigstop", "collect", limits);
  expect_dark("plugin-hung", "its process has been silent");
}

TEST_F(PluginProcessTest, GarbageOnTheSocketEndsTheProcess) {
  begin("garbage");
  expect_dark("plugin-protocol", "broke the protocol");
}

TEST_F(PluginProcessTest, APluginThatClosesItsSocketIsEnded) {
  begin("close");
  // Its host may notice first and leave, or linger and be ended.
  ASSERT_TRUE(wait_dark());
}

TEST_F(PluginProcessTest, AFloodPastTheHostEndsTheProcess) {
  PluginLimits limits;
  limits.bytes_per_second = 50'000;
  limits.watch.collect = seconds(60);
  begin("flood_wire", "collect", limits);
  expect_dark("plugin-flooded", "flooded plumb with more than 50000 bytes within a second");
}

TEST_F(PluginProcessTest, MessagesPastTheHostsBudgetEndTheProcess) {
  PluginLimits limits;
  limits.messages_per_second = 20;
  limits.watch.collect = seconds(60);
  begin("flood_wire", "collect", limits);
  expect_dark("plugin-flooded", "flooded plumb with more than 20 messages within a second");
}

TEST_F(PluginProcessTest, AFloodThroughTheHostIsDroppedAndCountedAndThePluginLives) {
  PluginLimits limits;
  limits.watch.collect = seconds(60);
  begin("flood", "collect", limits);
  ASSERT_TRUE(sink_.wait_for([](const Heard& h) { return h.event("plugin-flooded"); }));
  ASSERT_TRUE(sink_.wait_for([](const Heard& h) {
    const SeriesInfo* dropped = h.find("plumb_dropped_total");
    return dropped != nullptr && !h.samples.empty() &&
           std::any_of(h.samples.begin(), h.samples.end(),
                       [&](const Sample& s) { return s.series == dropped->id && s.value > 0; });
  }));
  EXPECT_TRUE(process_->is_alive());
  EXPECT_EQ(process_->health().health, uint32_t{PLUMB_HEALTH_DEGRADED});
  EXPECT_TRUE(process_->stop(seconds(60)).is_ok());
}

TEST_F(PluginProcessTest, InvalidSignalsAreRefusedAndThePluginLives) {
  begin("invalid");
  ASSERT_TRUE(sink_.wait_for([](const Heard& h) { return h.event("plugin-signals-refused"); }));
  const size_t ticks = sink_.heard().count("misbehave_ticks");
  EXPECT_TRUE(wait_ticks(ticks + 2));
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok());
  EXPECT_TRUE(sink_.heard().health.empty()) << "an invalid signal was taken: " << log();
}

TEST_F(PluginProcessTest, WhatIsThrownInConfigureComesBackAsAStatus) {
  spawn("misbehave");
  const Status configured = process_->configure({{"how", "throw"}, {"in", "configure"}}, "{}");
  EXPECT_EQ(configured.code(), PLUMB_INTERNAL);
  EXPECT_THAT(configured.message(), HasSubstr("the plugin threw: thrown from configure"));
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok());
}

TEST_F(PluginProcessTest, WhatIsThrownInStartComesBackAsAStatus) {
  spawn("misbehave");
  ASSERT_TRUE(process_->configure({{"how", "throw"}, {"in", "start"}}, "{}").is_ok());
  EXPECT_THAT(process_->start().message(), HasSubstr("thrown from start"));
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok());
}

TEST_F(PluginProcessTest, ThrowingCollectsDegradeTheHealthAndGoOn) {
  begin("throw", "collect");
  ASSERT_TRUE(sink_.wait_for([](const Heard& h) { return h.last_health(PLUMB_HEALTH_DEGRADED); }));
  EXPECT_THAT(sink_.heard().last_health(PLUMB_HEALTH_DEGRADED)->message,
              HasSubstr("collecting fails: the plugin threw: thrown from collect"));
  const size_t ticks = sink_.heard().count("misbehave_ticks");
  EXPECT_TRUE(wait_ticks(ticks + 2));
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok());
}

TEST_F(PluginProcessTest, WhatIsThrownInStageBecomesAnEvent) {
  begin("throw", "stage", {}, 0);
  process_->stage({PLUMB_STAGE_STEADY, "steady", 1, 2});
  ASSERT_TRUE(sink_.wait_for([](const Heard& h) { return h.event("stage-failed"); }));
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok());
}

TEST_F(PluginProcessTest, WhatIsThrownInStopComesBackAndTheProcessEnds) {
  begin("throw", "stop", {}, 0);
  EXPECT_THAT(process_->stop(seconds(5)).message(), HasSubstr("thrown from stop"));
  EXPECT_FALSE(process_->is_alive());
  EXPECT_TRUE(sink_.heard().health.empty());
}

TEST_F(PluginProcessTest, SecretsAreTakenOutOfErrorsHealthAndLogs) {
  begin("fail");
  ASSERT_TRUE(sink_.wait_for([](const Heard& h) { return h.last_health(PLUMB_HEALTH_DEGRADED); }));
  EXPECT_THAT(sink_.heard().last_health(PLUMB_HEALTH_DEGRADED)->message,
              AllOf(HasSubstr("cannot reach it with ***"), Not(HasSubstr("hunter2"))));
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok());
  EXPECT_THAT(log(), AllOf(HasSubstr("collecting failed"), Not(HasSubstr("hunter2"))));
}

TEST_F(PluginProcessTest, WhatAPluginPrintsGoesToTheLogOnly) {
  begin("print");
  ASSERT_TRUE(wait_ticks(5));
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok());
  EXPECT_THAT(log(), HasSubstr("printed to stdout ***"));
}

TEST_F(PluginProcessTest, AnOptionThatThePluginDoesNotTakeIsRefused) {
  spawn("misbehave");
  const Status configured = process_->configure({{"hwo", "x"}}, "{}");
  EXPECT_EQ(configured.code(), PLUMB_INVALID_ARGUMENT);
  EXPECT_THAT(configured.message(), HasSubstr("option hwo is not one it takes"));
}

TEST_F(PluginProcessTest, CallsOutOfOrderAreRefused) {
  spawn("misbehave");
  EXPECT_THAT(process_->start().message(),
              HasSubstr("start was asked of a plugin that is created"));
  EXPECT_TRUE(process_->stop(seconds(5)).is_ok()) << "stop is legal without start";
}

TEST_F(PluginProcessTest, LibrariesThatCannotBeServedAreRefusedWithWhatToDo) {
  const std::pair<const char*, const char*> cases[] = {
      {"refused/no_entry", "does not export plumb_plugin_entry_v1"},
      {"refused/newer_minor", "install a newer plumb"},
      {"refused/short_table", "rebuild the plugin against this plumb's SDK"},
      {"refused/other_major", "plugin ABI 2"},
      {"refused/not_there", "there is no file"},
  };
  for (const auto& [library, sentence] : cases) {
    SCOPED_TRACE(library);
    spawn(library);
    const Status configured = process_->configure(json::object(), "{}");
    EXPECT_FALSE(configured.is_ok());
    EXPECT_THAT(configured.message(), HasSubstr(sentence));
    process_.reset();
    EXPECT_TRUE(sink_.heard().events.empty()) << "a refusal is no crash";
  }
}

TEST_F(PluginProcessTest, AMissingHostIsSaidAtOnce) {
  PluginSpec spec;
  spec.name = "x";
  spec.host_executable = "/nonexistent/plumb-host";
  const auto made = PluginProcess::spawn(spec, sink_, ids_);
  ASSERT_FALSE(made.is_ok());
  EXPECT_THAT(made.status().message(), HasSubstr("cannot start /nonexistent/plumb-host"));
}

TEST_F(PluginProcessTest, AnAnalyzerAnswers) {
  spawn("echo_analyzer");
  ASSERT_TRUE(process_->configure(json::object(), "{}").is_ok());
  ASSERT_TRUE(process_->start().is_ok());
  const std::string large = "\"" + std::string(3'000'000, 'x') + "\"";
  const Result<std::string> answer = process_->analyze(large, seconds(20));
  ASSERT_TRUE(answer.is_ok()) << answer.status().message();
  EXPECT_EQ(*answer, large);
  EXPECT_THAT(process_->analyze("\"fail\"", seconds(5)).status().message(),
              HasSubstr("nothing comes to mind"));
  EXPECT_EQ(process_->analyze(std::string(5'000'000, 'x'), seconds(5)).status().code(),
            PLUMB_RESOURCE_EXHAUSTED);
  EXPECT_EQ(process_->analyze("\"hang\"", milliseconds(300)).status().code(),
            PLUMB_DEADLINE_EXCEEDED);
  EXPECT_FALSE(process_->is_alive());
}

TEST_F(PluginProcessTest, KillLeavesNeitherEventNorHealth) {
  begin("behave");
  ASSERT_TRUE(wait_ticks(1));
  process_->kill();
  EXPECT_FALSE(process_->is_alive());
  EXPECT_TRUE(sink_.heard().events.empty());
  EXPECT_TRUE(sink_.heard().health.empty());
}

}  // namespace
}  // namespace plumb::engine
