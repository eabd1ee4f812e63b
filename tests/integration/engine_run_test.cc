// Whole runs of the engine over real plugin processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/engine.h"
#include "core/engine/examine.h"
#include "tests/integration/free_port.h"
#include "tests/integration/recording_sink.h"

namespace plumb::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Heard = RecordingSink::Heard;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::filesystem::path kBuild = PLUMB_BINARY_DIR;

class Observer final : public EngineObserver {
 public:
  void on_phase(std::string_view) override {}
  void on_stage(const StageSpan& stage) override { stages.push_back(stage.name); }
  std::vector<std::string> stages;
};

class EngineRunTest : public ::testing::Test {
 protected:
  EngineRunTest() : catalog_(Catalog::scan({kBuild / "tests" / "plugins"})) {
    plan_.name = "test";
    aim_at(listener_.port);
    plan_.load.plugin = "brief_load";
    plan_.load.warmup = milliseconds(200);
    plan_.load.duration = milliseconds(600);
    plan_.load.cooldown = milliseconds(200);
    plan_.load.requests.emplace_back().name = "root";
    options_.run_id = "20261120T104512Z-7f3a";
    options_.host_executable = kBuild / "bin" / "plumb-host";
  }
  void TearDown() override {
    errno = 0;
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
    EXPECT_EQ(errno, ECHILD);
  }
  void aim_at(int port) {
    plan_.target.host = "127.0.0.1";
    plan_.target.port = port;
    plan_.target.url = "http://127.0.0.1:" + std::to_string(port);
  }
  void use(const std::string& plugin, nlohmann::json options = nlohmann::json::object()) {
    plan_.plugins.push_back({plugin, std::move(options), {}});
  }
  void know_shipped_plugins() {
    catalog_ = Catalog::scan({kBuild / "tests" / "plugins", kBuild / "lib" / "plumb" / "plugins"});
  }
  RunOutcome run(std::stop_token stop = {}) {
    return Engine(plan_, catalog_, options_, sink_, observer_).run(std::move(stop));
  }
  // An event of the steady stage having reached the sampler misbehave.
  bool wait_steady() {
    return sink_.wait_for([](const Heard& h) {
      return std::any_of(h.events.begin(), h.events.end(), [](const Event& e) {
        return e.kind == "stage-seen" && e.message == "steady";
      });
    });
  }

  LoopbackListener listener_ = listen_on_loopback();
  Catalog catalog_;
  plan::Plan plan_;
  EngineOptions options_;
  RecordingSink sink_;
  Observer observer_;
};

TEST_F(EngineRunTest, APlanRunsThroughItsStages) {
  use("misbehave");
  use("echo_analyzer");
  const RunOutcome outcome = run();
  ASSERT_EQ(outcome.end, RunEnd::kFinished) << outcome.status.message();
  EXPECT_TRUE(outcome.status.is_ok());
  EXPECT_THAT(observer_.stages, ElementsAre("warm-up", "steady", "cool-down"));
  ASSERT_EQ(outcome.stages.size(), 3u);
  EXPECT_EQ(outcome.stages[1].end_ns - outcome.stages[1].start_ns, 600'000'000);
  EXPECT_EQ(outcome.stages[1].start_ns, outcome.stages[0].end_ns);
  ASSERT_EQ(outcome.plugins.size(), 2u) << "the load and the sampler; the analyzer was dismissed";
  for (const PluginOutcome& plugin : outcome.plugins) {
    EXPECT_EQ(plugin.health, uint32_t{PLUMB_HEALTH_OK}) << plugin.plugin << plugin.message;
  }
  const Heard heard = sink_.heard();
  EXPECT_EQ(heard.count("http_started_total"), 3u);
  EXPECT_GT(heard.count("misbehave_ticks"), 10u);
  for (const Event& event : heard.events) EXPECT_EQ(event.kind, "stage-seen") << event.message;
}

TEST_F(EngineRunTest, TheRunGoesOnWhenASamplerCrashes) {
  use("misbehave", {{"how", "segfault"}, {"after", 5}});
  const RunOutcome outcome = run();
  EXPECT_EQ(outcome.end, RunEnd::kFinished) << outcome.status.message();
  EXPECT_EQ(outcome.stages.size(), 3u);
  ASSERT_EQ(outcome.plugins.size(), 2u);
  EXPECT_EQ(outcome.plugins[1].health, uint32_t{PLUMB_HEALTH_DARK});
  EXPECT_THAT(outcome.plugins[1].message, HasSubstr("SIGSEGV"));
  EXPECT_EQ(sink_.heard().count("http_started_total"), 3u);
}

TEST_F(EngineRunTest, ALoadThatCrashesEndsTheRunAndSaysSo) {
  plan_.load.plugin = "crash_load";
  plan_.load.duration = seconds(60);
  use("misbehave");
  const int64_t began = monotonic_ns();
  const RunOutcome outcome = run();
  EXPECT_LT(monotonic_ns() - began, 20'000'000'000);
  EXPECT_EQ(outcome.end, RunEnd::kFailed);
  EXPECT_THAT(outcome.status.message(), HasSubstr("crash_load was killed by SIGSEGV"));
  EXPECT_GT(sink_.heard().count("misbehave_ticks"), 0u) << "what was seen is kept";
}

TEST_F(EngineRunTest, AnInterruptedRunKeepsItsTruncatedSteadyStage) {
  use("misbehave");
  plan_.load.duration = seconds(60);
  std::stop_source source;
  std::thread interrupter([&] {
    EXPECT_TRUE(wait_steady());
    source.request_stop();
  });
  const RunOutcome outcome = run(source.get_token());
  interrupter.join();
  EXPECT_EQ(outcome.end, RunEnd::kInterrupted);
  EXPECT_TRUE(outcome.status.is_ok());
  ASSERT_EQ(outcome.stages.size(), 3u);
  EXPECT_EQ(outcome.stages[1].kind, uint32_t{PLUMB_STAGE_STEADY});
  EXPECT_LT(outcome.stages[1].end_ns - outcome.stages[1].start_ns, 20'000'000'000);
  EXPECT_EQ(outcome.stages[2].kind, uint32_t{PLUMB_STAGE_COOLDOWN});
  EXPECT_NE(sink_.heard().event("run-interrupted"), nullptr);
  for (const PluginOutcome& plugin : outcome.plugins) {
    EXPECT_EQ(plugin.health, uint32_t{PLUMB_HEALTH_OK}) << plugin.plugin << plugin.message;
  }
}

TEST_F(EngineRunTest, AnInterruptionBeforeTheLoadEndsEverythingAtOnce) {
  use("misbehave", {{"how", "hang"}, {"in", "configure"}});
  std::stop_source source;
  std::thread interrupter([&] {
    EXPECT_TRUE(sink_.wait_for([](const Heard& h) { return h.find("plumb_resident_bytes"); }));
    source.request_stop();
  });
  const RunOutcome outcome = run(source.get_token());
  interrupter.join();
  EXPECT_EQ(outcome.end, RunEnd::kInterrupted);
  EXPECT_TRUE(outcome.stages.empty());
}

TEST_F(EngineRunTest, APluginThatCannotBeConfiguredFailsTheRunBeforeAnyLoad) {
  use("misbehave", {{"how", "fail"}, {"in", "configure"}, {"token", "hunter2-secret"}});
  plan_.secret_values = {"hunter2-secret"};
  const RunOutcome outcome = run();
  EXPECT_EQ(outcome.end, RunEnd::kFailed);
  EXPECT_EQ(outcome.status.message(),
            "plugin misbehave: cannot reach it with *** (or leave misbehave out of the plan's "
            "plugins, to "
            "run without it)");
  EXPECT_TRUE(outcome.stages.empty());
  EXPECT_EQ(sink_.heard().count("http_started_total"), 0u);
}

TEST_F(EngineRunTest, APluginThatCannotStartFailsTheRunBeforeAnyLoad) {
  use("misbehave", {{"how", "throw"}, {"in", "start"}});
  const RunOutcome outcome = run();
  EXPECT_EQ(outcome.end, RunEnd::kFailed);
  EXPECT_THAT(outcome.status.message(), HasSubstr("thrown from start"));
  EXPECT_TRUE(outcome.stages.empty());
}

TEST_F(EngineRunTest, AnUnknownPluginIsNamedWithTheNearest) {
  use("misbehaev");
  const RunOutcome outcome = run();
  EXPECT_EQ(outcome.end, RunEnd::kFailed);
  EXPECT_THAT(outcome.status.message(), HasSubstr("Did you mean 'misbehave'?"));
}

TEST_F(EngineRunTest, ATargetThatDoesNotAnswerFailsTheRun) {
  aim_at(free_port());
  const RunOutcome outcome = run();
  EXPECT_EQ(outcome.end, RunEnd::kFailed);
  EXPECT_THAT(outcome.status.message(), HasSubstr("Is it running?"));
}

TEST_F(EngineRunTest, TheTargetIsStartedAndStopped) {
  const int port = free_port();
  aim_at(port);
  plan_.target.health = "/health";
  plan_.target.start = {(kBuild / "tests" / "tiny_server").string(), std::to_string(port)};
  const RunOutcome outcome = run();
  EXPECT_EQ(outcome.end, RunEnd::kFinished) << outcome.status.message();
}

TEST_F(EngineRunTest, ATargetThatEndsDuringTheRunIsAnEvent) {
  const int port = free_port();
  aim_at(port);
  plan_.target.start = {"/bin/sh", "-c",
                        (kBuild / "tests" / "tiny_server").string() + " " + std::to_string(port) +
                            " & sleep 0.8; exit 7"};
  const RunOutcome outcome = run();
  EXPECT_EQ(outcome.end, RunEnd::kFinished) << outcome.status.message();
  ASSERT_NE(sink_.heard().event("target-ended"), nullptr);
  EXPECT_THAT(sink_.heard().event("target-ended")->message, HasSubstr("exited with code 7"));
}

TEST_F(EngineRunTest, AnAnalyzerRunsApart) {
  use("echo_analyzer");
  const auto answer =
      run_analyzer(plan_, plan_.plugins[0], catalog_, options_, R"({"facts":[]})", seconds(20), {});
  ASSERT_TRUE(answer.is_ok()) << answer.status().message();
  EXPECT_EQ(*answer, R"({"facts":[]})");
}

TEST_F(EngineRunTest, AnExaminationSaysOfEachPluginWhatItCanSee) {
  use("misbehave", {{"how", "fail"}, {"token", "hunter2-secret"}});
  use("echo_analyzer");
  plan_.secret_values = {"hunter2-secret"};
  const auto examined = examine(plan_, catalog_, options_, milliseconds(1'500), {});
  ASSERT_TRUE(examined.is_ok()) << examined.status().message();
  EXPECT_TRUE(examined->target.is_ok()) << examined->target.message();
  ASSERT_EQ(examined->plugins.size(), 3u);
  EXPECT_EQ(examined->plugins[0].plugin, "brief_load");
  EXPECT_TRUE(examined->plugins[0].status.is_ok()) << examined->plugins[0].status.message();
  EXPECT_EQ(examined->plugins[1].health, uint32_t{PLUMB_HEALTH_DEGRADED});
  EXPECT_THAT(examined->plugins[1].message, HasSubstr("cannot reach it with ***"));
  EXPECT_TRUE(examined->plugins[2].status.is_ok());
}

TEST_F(EngineRunTest, AnExaminationGoesOnWhereAPluginCannotBeConfiguredAndNobodyAnswers) {
  listener_ = {};
  aim_at(free_port());
  use("misbehave", {{"how", "throw"}, {"in", "configure"}});
  use("no_such_plugin");
  const auto examined = examine(plan_, catalog_, options_, milliseconds(50), {});
  ASSERT_TRUE(examined.is_ok()) << examined.status().message();
  EXPECT_FALSE(examined->target.is_ok());
  ASSERT_EQ(examined->plugins.size(), 3u);
  EXPECT_TRUE(examined->plugins[0].status.is_ok());
  EXPECT_THAT(examined->plugins[1].status.message(), HasSubstr("thrown from configure"));
  EXPECT_EQ(examined->plugins[2].status.code(), PLUMB_NOT_FOUND);
}

TEST_F(EngineRunTest, AnInterruptedExaminationEndsAtOnce) {
  use("misbehave", {{"how", "hang"}, {"in", "configure"}});
  std::stop_source source;
  std::thread interrupter([&] { source.request_stop(); });
  const auto examined = examine(plan_, catalog_, options_, seconds(60), source.get_token());
  interrupter.join();
  EXPECT_EQ(examined.status().code(), PLUMB_CANCELLED);
}

TEST_F(EngineRunTest, EveryPluginIsAskedAboutAPlanWithoutAnyLoad) {
  know_shipped_plugins();
  plan_.load.plugin = "pgbench_load";
  plan_.load.plugin_options = {{"port", 1}, {"user", "nobody"}, {"database", "none"}};
  use("prom_scrape", {{"url", "ftp://127.0.0.1/metrics"}});
  use("pg_stats", {{"dsn", "mysql://u@127.0.0.1/shop"}});
  const auto asked = check_plugins(plan_, catalog_, options_);
  ASSERT_TRUE(asked.is_ok()) << asked.status().message();
  ASSERT_EQ(asked->size(), 3u);
  const char* told[] = {"give one of script and file", "neither http nor https",
                        "dsn is not a connection string"};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*asked)[i].status.code(), PLUMB_INVALID_ARGUMENT);
    EXPECT_THAT((*asked)[i].status.message(), HasSubstr(told[i]));
  }
}

TEST_F(EngineRunTest, APluginThatIsAskedAboutAPlanConnectsToNothing) {
  know_shipped_plugins();
  const std::string nobody = std::to_string(free_port());
  use("prom_scrape", {{"url", "http://127.0.0.1:" + nobody + "/metrics"}});
  use("pg_stats", {{"dsn", "postgresql://u@127.0.0.1:" + nobody + "/shop"}});
  const auto asked = check_plugins(plan_, catalog_, options_);
  ASSERT_TRUE(asked.is_ok()) << asked.status().message();
  for (const Examined& plugin : *asked)
    EXPECT_TRUE(plugin.status.is_ok()) << plugin.plugin << ": " << plugin.status.message();
}

TEST_F(EngineRunTest, ASamplerThatCannotReachWhatItWatchesSaysHowToRunWithoutIt) {
  know_shipped_plugins();
  use("pg_stats", {{"dsn", "postgresql://u@127.0.0.1:" + std::to_string(free_port()) + "/shop"}});
  const RunOutcome outcome = run();
  EXPECT_THAT(outcome.status.message(), HasSubstr("leave pg_stats out of the plan's plugins"));
}

}  // namespace
}  // namespace plumb::engine
