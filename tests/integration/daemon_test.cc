// plumbd as it is run: started as a process, given a plan over HTTP, watched, stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/compare/baseline.h"
#include "core/session/temporary_directory_for_tests.h"
#include "core/store/run_file.h"
#include "tests/integration/daemon_process.h"
#include "tests/integration/free_port.h"

namespace plumb {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

const std::filesystem::path kBuild = PLUMB_BINARY_DIR;

std::string read_file(const std::filesystem::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

class DaemonTest : public testing::Test {
 protected:
  std::filesystem::path run_dir() const { return directory_.path() / "runs"; }
  std::filesystem::path log() const { return directory_.path() / "plumbd.log"; }

  std::vector<std::string> arguments() const {
    return {"--run-dir", run_dir().string(), "--plugins", (kBuild / "lib/plumb/plugins").string(),
            "--allow-start"};
  }

  // The example shop where it is built, otherwise a server that answers everything alike.
  std::string plan(const std::string& duration) const {
    const int number = free_port();
    const std::string port = std::to_string(number);
    json start = {(kBuild / "tests/tiny_server").string(), port};
    const auto shop = kBuild / "bin/shop";
    if (std::filesystem::exists(shop)) {
      start = {shop.string(), "--port", port, "--db", (directory_.path() / "shop.db").string()};
    }
    return json{{"name", "daemon"},
                {"target",
                 {{"url", "http://127.0.0.1:" + port},
                  {"process", {{"port", number}}},
                  {"start", start},
                  {"health", "/health"}}},
                {"load",
                 {{"users", 2},
                  {"think", "5ms"},
                  {"warmup", "500ms"},
                  {"duration", duration},
                  {"cooldown", "100ms"},
                  {"requests", {{{"name", "products"}, {"path", "/products"}}}}}},
                {"plugins", {{"host_metrics", json::object()}}}}
        .dump();
  }

  static std::string with_baseline(const std::string& plan, const std::string& name) {
    json out = json::parse(plan);
    out["baseline"] = name;
    return out.dump();
  }

  // Posts the plan and gives the path of the run.
  static std::string start(const DaemonProcess& daemon, const std::string& plan) {
    const HttpReply reply = daemon.request("POST", "/api/v1/runs", "application/yaml", plan);
    EXPECT_EQ(reply.status, 202) << reply.body;
    return reply.location;
  }

  // Three looks into the steady stage: the run file, written once a second, has some of it then.
  static bool has_measured(const std::string& events) {
    size_t at = events.find("\"name\":\"steady\"");
    for (int looks = 0; looks < 3 && at != std::string::npos; ++looks)
      at = events.find("event: progress", at + 1);
    return at != std::string::npos;
  }

  const TemporaryDirectory directory_;
};

TEST_F(DaemonTest, RunsAPostedPlanAndReportsIt) {
  DaemonProcess daemon(arguments(), log());
  ASSERT_NE(daemon.port(), 0) << read_file(log());
  EXPECT_EQ(daemon.get("/health").status, 200);
  EXPECT_THAT(daemon.get("/api/v1/plugins").body, HasSubstr("\"http_load\""));

  const std::string run = start(daemon, plan("3s"));
  ASSERT_THAT(run, StartsWith("/api/v1/runs/")) << read_file(log());
  const HttpReply second = daemon.request("POST", "/api/v1/runs", "application/yaml", plan("3s"));
  EXPECT_EQ(second.status, 409) << second.body;

  const std::string events = daemon.follow(run + "/events", {});
  EXPECT_THAT(events, HasSubstr("id: 1\n"));
  EXPECT_TRUE(has_measured(events)) << events << read_file(log());
  EXPECT_THAT(events, HasSubstr("event: done\n"));
  EXPECT_THAT(events, HasSubstr("\"state\":\"finished\""));

  const json shown = daemon.get(run).json();
  EXPECT_EQ(shown["state"], "finished") << shown;
  EXPECT_TRUE(shown["verdict"].contains("label")) << shown;
  const json report = daemon.get(run + "/report?format=json").json();
  EXPECT_EQ(report["run"]["id"], shown["id"]);
  EXPECT_FALSE(report["facts"].empty());
  const HttpReply page = daemon.get(run + "/report?format=html");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("</html>"));
  EXPECT_THAT(daemon.get("/metrics").body, HasSubstr("plumb_runs_total{state=\"finished\"} 1"));

  EXPECT_EQ(daemon.get("/api/v1/runs").json()["total"], 1);
  EXPECT_EQ(daemon.request("DELETE", run, {}, {}).status, 204);
  EXPECT_EQ(daemon.get(run + "/report").status, 404);
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << read_file(log());
}

TEST_F(DaemonTest, HoldsARunAgainstItsPlansBaseline) {
  DaemonProcess daemon(arguments(), log());
  const std::string first = start(daemon, plan("3s"));
  EXPECT_THAT(daemon.follow(first + "/events", {}), HasSubstr("\"state\":\"finished\""));
  const std::string id = daemon.get(first).json()["id"];
  ASSERT_TRUE(compare::Baselines(run_dir()).set(
      {.plan = "daemon", .name = "default", .set_unix_ms = 1, .runs = {id}},
      {run_dir() / (id + ".plumb")}));

  const std::string run = start(daemon, with_baseline(plan("3s"), "default"));
  EXPECT_THAT(daemon.follow(run + "/events", {}), HasSubstr("\"comparison\":{"));
  const std::string page = daemon.get(run).json()["id"].get<std::string>() + ".comparison.html";
  EXPECT_TRUE(std::filesystem::exists(run_dir() / page));
  EXPECT_THAT(daemon.get(run + "/report?format=json").body, HasSubstr("\"expected\": \"was "));
  EXPECT_EQ(daemon.request("DELETE", run, {}, {}).status, 204);
  EXPECT_FALSE(std::filesystem::exists(run_dir() / page));

  const std::string other = start(daemon, with_baseline(plan("3s"), "defualt"));
  const std::string events = daemon.follow(other + "/events", {});
  EXPECT_THAT(events, HasSubstr("\"state\":\"failed\""));
  EXPECT_THAT(events, HasSubstr("Did you mean 'default'?"));
}

TEST_F(DaemonTest, StopsARunEarlyWithItsReport) {
  DaemonProcess daemon(arguments(), log());
  const std::string run = start(daemon, plan("120s"));
  EXPECT_TRUE(has_measured(daemon.follow(run + "/events", has_measured))) << read_file(log());
  const HttpReply live = daemon.get(run + "/report");
  EXPECT_EQ(live.status, 200) << live.body;
  EXPECT_THAT(live.body, HasSubstr("still goes on"));
  EXPECT_EQ(daemon.request("POST", run + "/stop", {}, {}).status, 202);
  EXPECT_THAT(daemon.follow(run + "/events", {}), HasSubstr("\"state\":\"interrupted\""));
  EXPECT_EQ(daemon.get(run + "/report").status, 200);
}

TEST_F(DaemonTest, ASigtermInTheMiddleOfARunLeavesAReadableRunFileAndExitCodeZero) {
  DaemonProcess daemon(arguments(), log());
  const std::string run = start(daemon, plan("120s"));
  bool signalled = false;
  // The stream outlives the signal and ends with the run's end.
  const std::string events = daemon.follow(run + "/events", [&](const std::string& text) {
    if (!signalled && has_measured(text)) {
      daemon.signal(SIGTERM);
      signalled = true;
    }
    return false;
  });
  EXPECT_THAT(events, HasSubstr("event: done\n"));
  EXPECT_EQ(daemon.wait(), 0) << read_file(log());

  const std::string id = run.substr(run.rfind('/') + 1);
  const auto data = store::read_run(run_dir() / (id + ".plumb"));
  ASSERT_TRUE(data.is_ok()) << data.status().message();
  EXPECT_EQ(data->state, store::RunState::kInterrupted);
  EXPECT_FALSE(data->series.empty());
  EXPECT_TRUE(std::filesystem::exists(run_dir() / (id + ".html")));
}

TEST_F(DaemonTest, ASecondSignalEndsItAtOnceAndTheRunFileStaysReadable) {
  DaemonProcess daemon(arguments(), log());
  const std::string run = start(daemon, plan("120s"));
  EXPECT_TRUE(has_measured(daemon.follow(run + "/events", has_measured))) << read_file(log());
  // Two different ones, since two of the same number that are not yet delivered are one.
  daemon.signal(SIGTERM);
  daemon.signal(SIGINT);
  EXPECT_GT(daemon.wait(), 128) << read_file(log());
  const std::string id = run.substr(run.rfind('/') + 1);
  const auto data = store::read_run(run_dir() / (id + ".plumb"));
  ASSERT_TRUE(data.is_ok()) << data.status().message();
  EXPECT_FALSE(data->series.empty());
}

TEST_F(DaemonTest, DoesNotListenForOtherMachines) {
  DaemonProcess daemon({}, log(), "0.0.0.0:0");
  EXPECT_EQ(daemon.port(), 0);
  EXPECT_EQ(daemon.wait(), 2);
  EXPECT_THAT(read_file(log()), HasSubstr("loopback"));
}

TEST_F(DaemonTest, MakesATokenAndAsksForIt) {
  const auto file = directory_.path() / "token";
  DaemonProcess daemon({"--token-file", file.string()}, log());
  EXPECT_EQ(daemon.get("/health").status, 200);
  EXPECT_EQ(daemon.get("/api/v1/runs").status, 401);
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace plumb
