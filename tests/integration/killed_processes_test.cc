// What is left when processes are killed in the middle of a run.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/support/run_program.h"

namespace plumb {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using test_support::eventually;
using test_support::Program;
using test_support::TemporaryDirectory;

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The plumb-host child of `parent` that carries `plugin`.
std::optional<pid_t> host_of(pid_t parent, const std::string& plugin) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string status = content_of(entry.path() / "status");
    if (status.find("\nPPid:\t" + std::to_string(parent) + "\n") == std::string::npos) continue;
    if (content_of(entry.path() / "cmdline").find("/" + plugin + ".so") != std::string::npos)
      return static_cast<pid_t>(std::stol(name));
  }
  return std::nullopt;
}

class KilledProcesses : public testing::Test {
 protected:
  std::vector<std::string> run_arguments(const char* duration) const {
    return {"run",       "examples/healthy.yaml",
            "--format",  "json",
            "--run-dir", runs_.path().string(),
            "--set",     std::string("target.start.0=") + PLUMB_BINARY_DIR + "/bin/shop",
            "--set",     "load.warmup=1s",
            "--set",     std::string("load.duration=") + duration};
  }
  std::optional<fs::path> run_file() const {
    for (const auto& entry : fs::directory_iterator(runs_.path()))
      if (entry.path().extension() == ".plumb") return entry.path();
    return std::nullopt;
  }
  TemporaryDirectory runs_;
};

TEST_F(KilledProcesses, APluginLeavesAReportThatSaysWhichAndWhen) {
  Program plumb("plumb", run_arguments("8s"));
  ASSERT_TRUE(eventually(seconds(20), [&] {
    return plumb.err().find("steady") != std::string::npos;
  })) << plumb.err();
  const std::optional<pid_t> host = host_of(plumb.pid(), "host_metrics");
  ASSERT_TRUE(host.has_value());
  kill(*host, SIGKILL);
  ASSERT_EQ(plumb.wait(seconds(40)), 0) << plumb.err();
  const json report = json::parse(plumb.out(), nullptr, false);
  ASSERT_TRUE(report.is_object());
  EXPECT_GT(report["endpoints"][0]["requests"], 0);
  const std::string health = report["health"].dump();
  EXPECT_NE(health.find("host_metrics"), std::string::npos) << health;
  EXPECT_NE(health.find("SIGKILL"), std::string::npos) << health;
}

TEST_F(KilledProcesses, APageThatCannotBeWrittenIsAFailure) {
  Program plumb("plumb", run_arguments("2s"));
  ASSERT_TRUE(eventually(seconds(20), [&] { return run_file().has_value(); })) << plumb.err();
  fs::path page = *run_file();
  fs::create_directory(page.replace_extension(".html"));
  EXPECT_EQ(plumb.wait(seconds(40)), 1) << plumb.err();
  EXPECT_NE(plumb.err().find(page.filename().string()), std::string::npos) << plumb.err();
}

TEST_F(KilledProcesses, PlumbItselfLeavesARunFileThatCanBeReported) {
  Program plumb("plumb", run_arguments("30s"));
  ASSERT_TRUE(eventually(seconds(20), [&] { return run_file().has_value(); })) << plumb.err();
  const fs::path file = *run_file();
  // Each look is a report of what is there until now; some seconds of it must have been written.
  ASSERT_TRUE(eventually(seconds(30), [&] {
    Program report("plumb", {"report", file.string(), "--format", "json"});
    if (report.wait(seconds(10)) != 0) return false;
    const json parsed = json::parse(report.out(), nullptr, false);
    return parsed.is_object() && parsed["endpoints"].size() == 3;
  }));
  plumb.signal(SIGKILL);
  plumb.wait(seconds(5));
  Program report("plumb", {"report", file.string(), "--format", "json"});
  ASSERT_EQ(report.wait(seconds(10)), 0) << report.err();
  const json parsed = json::parse(report.out(), nullptr, false);
  ASSERT_TRUE(parsed.is_object());
  EXPECT_EQ(parsed["run"]["state"], "running");
  EXPECT_EQ(parsed["endpoints"].size(), 3u);
}

TEST_F(KilledProcesses, AnInterruptEndsWithAReportOnWhatWasSeen) {
  Program plumb("plumb", run_arguments("30s"));
  ASSERT_TRUE(eventually(seconds(20), [&] {
    return plumb.err().find("steady") != std::string::npos;
  })) << plumb.err();
  ASSERT_TRUE(eventually(seconds(10), [&] {
    const auto file = run_file();
    return file.has_value();
  }));
  plumb.signal(SIGINT);
  const int code = plumb.wait(seconds(20));
  EXPECT_NE(code, -1) << "Ctrl-C must end the run";
  const json report = json::parse(plumb.out(), nullptr, false);
  ASSERT_TRUE(report.is_object()) << plumb.out() << plumb.err();
  EXPECT_EQ(report["run"]["state"], "interrupted");
}

}  // namespace
}  // namespace plumb
