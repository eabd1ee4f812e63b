// plumb capacity against a real server whose capacity is known by construction.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/integration/free_port.h"
#include "tests/support/run_program.h"

namespace plumb {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using test_support::eventually;
using test_support::Program;
using test_support::TemporaryDirectory;

namespace fs = std::filesystem;

class CapacitySearchRun : public testing::Test {
 protected:
  // A plan that starts a server of `workers` with `service_us` for each request.
  std::string plan(int workers, int service_us, const std::string& slos, int queue = 4'096) {
    const std::string port = std::to_string(free_port());
    const fs::path file = directory_.path() / "plan.yaml";
    std::ofstream(file) << "name: paced\ntarget:\n  url: http://127.0.0.1:" << port
                        << "\n  start: [\"" << PLUMB_BINARY_DIR << "/tests/paced_server\", \""
                        << port << "\", \"" << workers << "\", \"" << service_us << "\", \""
                        << queue
                        << "\"]\nload:\n  rate: 10/s\n  requests: [{name: home, path: /}]\n"
                        << "plugins: {}\n"
                        << slos;
    return file.string();
  }
  std::vector<std::string> arguments(const std::string& plan_file,
                                     std::vector<std::string> more) const {
    std::vector<std::string> out = {"capacity", plan_file,   "--format",
                                    "json",     "--run-dir", runs_.path().string()};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  // How many files of the run directory end so.
  int kept(const std::string& end) const {
    int out = 0;
    for (const auto& entry : fs::directory_iterator(runs_.path()))
      out += entry.path().string().ends_with(end) ? 1 : 0;
    return out;
  }

  TemporaryDirectory directory_;
  TemporaryDirectory runs_;
};

TEST_F(CapacitySearchRun, FindsWhatTheServerWasBuiltFor) {
  // Ten workers of 10 ms: 1,000/s.
  const std::string file = plan(10, 10'000, "slos: [{p99: 100ms}]\n");
  Program plumb("plumb", arguments(file, {"--from", "600/s", "--probe-time", "1s", "--tolerance",
                                          "5%", "--max-time", "20s"}));
  ASSERT_EQ(plumb.wait(seconds(60)), 0) << plumb.err();
  const json result = json::parse(plumb.out(), nullptr, false);
  ASSERT_TRUE(result.is_object()) << plumb.out();
  EXPECT_EQ(result["outcome"], "capacity");
  EXPECT_NEAR(result["capacity"]["rate"].get<double>(), 1'000, 100) << result.dump(1);
  EXPECT_LE(result["capacity"]["low"], result["capacity"]["rate"]);
  EXPECT_FALSE(result["first_to_fail"].is_null());
  // What is kept is the result alone: the probes were not asked for.
  EXPECT_EQ(kept(".capacity.json"), 1);
  EXPECT_EQ(kept(".plumb"), 0);
  EXPECT_EQ(kept(".probes"), 0);
  EXPECT_NE(plumb.err().find("probe 1  600/s"), std::string::npos) << plumb.err();
}

TEST_F(CapacitySearchRun, AnInterruptTellsWhatIsKnownAndStopsTheServer) {
  const std::string file = plan(10, 10'000, "");
  Program plumb("plumb", arguments(file, {"--from", "100/s"}));
  ASSERT_TRUE(eventually(seconds(20), [&] {
    return plumb.err().find("probe 1  ") != std::string::npos;
  })) << plumb.err();
  plumb.signal(SIGINT);
  EXPECT_EQ(plumb.wait(seconds(20)), 5) << plumb.err();
  const json result = json::parse(plumb.out(), nullptr, false);
  ASSERT_TRUE(result.is_object()) << plumb.out();
  EXPECT_EQ(result["ended"], "interrupted");
  EXPECT_GE(result["highest_kept"], 100);
}

TEST_F(CapacitySearchRun, ATargetThatIsNotThereIsAFailureToRun) {
  const fs::path file = directory_.path() / "plan.yaml";
  std::ofstream(file) << "name: none\ntarget: {url: 'http://127.0.0.1:" << free_port()
                      << "'}\nload: {rate: 10/s}\n";
  Program plumb("plumb", arguments(file.string(), {}));
  EXPECT_EQ(plumb.wait(seconds(30)), 1) << plumb.err();
  EXPECT_EQ(kept(""), 0);
}

}  // namespace
}  // namespace plumb
