// Stacks on their whole way: from a plugin in its process over the engine and the run file to
// reports and exports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "core/base/clock.h"
#include "core/engine/engine.h"
#include "core/profile/export.h"
#include "core/report/report.h"
#include "core/session/fan_out.h"
#include "core/store/run_file.h"
#include "tests/integration/free_port.h"
#include "tests/integration/recording_sink.h"

namespace plumb {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path kBuild = PLUMB_BINARY_DIR;

class Quiet final : public engine::EngineObserver {
 public:
  void on_phase(std::string_view) override {}
  void on_stage(const StageSpan&) override {}
};

// One real run of about a second, kept in a file.
class StackProfilePath : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (std::filesystem::temp_directory_path() / "plumb-stacks-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    file_ = directory_ / "20261120T104512Z-7f3a.plumb";

    const LoopbackListener listener = listen_on_loopback();
    plan::Plan plan;
    plan.name = "stacks";
    plan.target.host = "127.0.0.1";
    plan.target.port = listener.port;
    plan.target.url = "http://127.0.0.1:" + std::to_string(listener.port);
    plan.load.plugin = "brief_load";
    plan.load.warmup = milliseconds(300);
    plan.load.duration = milliseconds(800);
    plan.load.requests.emplace_back().name = "root";
    plan.plugins.push_back({"folded_stacks", json::object(), {}});
    engine::EngineOptions options;
    options.run_id = "20261120T104512Z-7f3a";
    options.host_executable = kBuild / "bin" / "plumb-host";

    store::RunHeader header;
    header.id = options.run_id;
    header.name = plan.name;
    header.started_ns = monotonic_ns();
    header.plan = json::object();
    header.environment = json::object();
    auto writer = store::RunWriter::create(file_, header);
    ASSERT_TRUE(writer.is_ok()) << writer.status().message();
    const engine::Catalog catalog = engine::Catalog::scan({kBuild / "tests" / "plugins"});
    session::FanOut sink({writer->get(), &heard_}, {"render"});
    Quiet observer;
    const engine::RunOutcome outcome =
        engine::Engine(plan, catalog, options, sink, observer).run(std::stop_token());
    ASSERT_EQ(outcome.end, engine::RunEnd::kFinished) << outcome.status.message();
    (*writer)->set_stages(outcome.stages);
    ASSERT_TRUE((*writer)->finish(store::RunState::kFinished).is_ok());
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(directory_); }

  static store::RunData run() {
    auto data = store::read_run(file_);
    EXPECT_TRUE(data.is_ok()) << data.status().message();
    return std::move(data).value();
  }

  static inline std::filesystem::path directory_;
  static inline std::filesystem::path file_;
  static inline RecordingSink heard_;
};

TEST_F(StackProfilePath, WhatThePluginSaidArrivesCleanedAndWithoutSecrets) {
  const auto heard = heard_.heard();
  ASSERT_GT(heard.stacks.size(), 5u);
  for (const StackBatch& batch : heard.stacks) {
    EXPECT_EQ(batch.plugin, "folded_stacks");
    EXPECT_EQ(batch.profile, "on_cpu");
    EXPECT_LE(batch.start_ns, batch.end_ns);
    ASSERT_EQ(batch.stacks.size(), 3u);
    EXPECT_EQ(batch.stacks[0].frames, "shop;main;parse");
    EXPECT_EQ(batch.stacks[1].frames, "shop;main;***") << "the secret of this plan";
    EXPECT_EQ(batch.stacks[2].frames, "shop;main;<b>?[31m??");
  }
  for (const HealthChange& change : heard.health)
    EXPECT_EQ(change.health, uint32_t{PLUMB_HEALTH_OK}) << change.message;
}

TEST_F(StackProfilePath, TheReportTellsWhatWeighsWhatInTheJudgedWindow) {
  const auto report = report::build(run());
  ASSERT_TRUE(report.is_ok()) << report.status().message();
  ASSERT_EQ((*report)["profiles"].size(), 1u);
  const json& profile = (*report)["profiles"][0];
  EXPECT_EQ(profile["name"], "on_cpu");
  EXPECT_EQ(profile["layer"], "app");
  // 0.76 of each of 0.8 s, but for what the last collect before the end did not reach.
  const double total = profile["total"];
  EXPECT_GT(total, 0.76 * 0.5);
  EXPECT_LT(total, 0.76 * 0.8 * 1.001);
  EXPECT_EQ(profile["by_self"][0]["name"], "***");
  EXPECT_EQ(profile["by_self"][1]["name"], "parse");
  EXPECT_NEAR(profile["by_self"][1]["self"].get<double>() / total, 0.25 / 0.76, 1e-4);
}

TEST_F(StackProfilePath, ThePageHasAFlameGraphAndKeepsNamesText) {
  const auto report = report::build(run());
  ASSERT_TRUE(report.is_ok());
  const std::string html = report::to_html(*report);
  EXPECT_THAT(html, HasSubstr("<figure class=\"flame\""));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;?[31m??"));
  EXPECT_THAT(html, Not(HasSubstr("<b>?")));
  EXPECT_THAT(report::to_console(*report, {}), HasSubstr("Profile on_cpu"));
}

TEST_F(StackProfilePath, FoldedTextSumsToWhatTheReportSays) {
  const auto report = report::build(run());
  ASSERT_TRUE(report.is_ok());
  const auto judged = profile::export_profiles(run(), profile::ExportFormat::kFolded, "", false);
  ASSERT_TRUE(judged.is_ok()) << judged.status().message();
  std::map<std::string, double> weights;
  std::istringstream lines(*judged);
  for (std::string line; std::getline(lines, line);) {
    const size_t space = line.rfind(' ');
    weights[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  ASSERT_EQ(weights.size(), 3u);
  EXPECT_NEAR(weights["shop;main;***"] / weights["shop;main;parse"], 2, 1e-4);
  double sum = 0;
  for (const auto& [frames, weight] : weights) sum += weight / 1e6;
  EXPECT_NEAR(sum, (*report)["profiles"][0]["total"].get<double>(), 1e-4);
  const auto whole = profile::export_profiles(run(), profile::ExportFormat::kFolded, "", true);
  EXPECT_GT(whole->size(), 0u);
  EXPECT_NE(*whole, *judged) << "the warm-up is in the whole run only";
}

}  // namespace
}  // namespace plumb
