#include "core/engine/target_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "core/base/clock.h"
#include "tests/integration/free_port.h"

namespace plumb::engine {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TargetProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/plumb-target-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    log_ = dir_ / "target.log";
    aim_at(free_port());
  }
  void TearDown() override { fs::remove_all(dir_); }
  void aim_at(int port) {
    target_.host = "127.0.0.1";
    target_.port = port;
    target_.url = "http://127.0.0.1:" + std::to_string(port);
  }
  // Has the target be tiny_server, with these arguments after its port.
  void serve(std::vector<std::string> more = {}) {
    target_.start = {PLUMB_BINARY_DIR "/tests/tiny_server", std::to_string(target_.port)};
    target_.start.insert(target_.start.end(), more.begin(), more.end());
  }
  fs::path dir_;
  fs::path log_;
  plan::Target target_;
};

TEST_F(TargetProcessTest, IsStartedAwaitedAndStopped) {
  serve();
  target_.health = "/health";
  auto process = TargetProcess::start(target_, log_);
  ASSERT_TRUE(process.is_ok()) << process.status().message();
  const Status healthy = wait_until_healthy(target_, process->get(), {});
  ASSERT_TRUE(healthy.is_ok()) << healthy.message();
  EXPECT_FALSE((*process)->how_it_ended());
  (*process)->stop();
  EXPECT_THAT(*(*process)->how_it_ended(), HasSubstr("was killed by SIGTERM"));
  EXPECT_FALSE(check_health(target_, seconds(1)));
  EXPECT_EQ(tail_of(log_, 5), "tiny_server: listening");
}

TEST_F(TargetProcessTest, OneThatIgnoresTermIsKilled) {
  serve({"200", "ignore"});
  auto process = TargetProcess::start(target_, {});
  ASSERT_TRUE(process.is_ok());
  ASSERT_TRUE(wait_until_healthy(target_, process->get(), {}).is_ok());
  (*process)->stop(milliseconds(100));
  EXPECT_THAT(*(*process)->how_it_ended(), HasSubstr("SIGKILL"));
}

TEST_F(TargetProcessTest, OneThatExitsEarlyIsToldWithTheEndOfItsLog) {
  target_.start = {"sh", "-c", "echo starting; echo no such database >&2; exit 3"};
  auto process = TargetProcess::start(target_, log_);
  ASSERT_TRUE(process.is_ok());
  const Status healthy = wait_until_healthy(target_, process->get(), {});
  EXPECT_THAT(healthy.message(), AllOf(HasSubstr("the target exited with code 3"),
                                       HasSubstr(log_.string()), HasSubstr("no such database")));
}

TEST_F(TargetProcessTest, AProgramThatIsNotThereIsToldAtOnce) {
  target_.start = {"/nonexistent/shop"};
  const auto process = TargetProcess::start(target_, log_);
  EXPECT_THAT(process.status().message(), HasSubstr("target.start: cannot start"));
}

TEST_F(TargetProcessTest, APortInUseIsToldWithItsHolder) {
  const LoopbackListener taken = listen_on_loopback();
  aim_at(taken.port);
  serve();
  const auto process = TargetProcess::start(target_, log_);
  ASSERT_FALSE(process.is_ok());
  EXPECT_THAT(process.status().message(),
              AllOf(HasSubstr("(pid " + std::to_string(::getpid()) + ") already answers on"),
                    HasSubstr(std::to_string(taken.port))));
}

TEST_F(TargetProcessTest, OneThatAnswersWithAnErrorIsNotHealthy) {
  serve({"503"});
  target_.health = "/health";
  target_.health_timeout = milliseconds(300);
  auto process = TargetProcess::start(target_, log_);
  ASSERT_TRUE(process.is_ok());
  EXPECT_THAT(wait_until_healthy(target_, process->get(), {}).message(),
              AllOf(HasSubstr("not healthy within 0.3 s"), HasSubstr("/health answered 503")));
}

TEST_F(TargetProcessTest, WaitingEndsWhenInterrupted) {
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(wait_until_healthy(target_, nullptr, source.get_token()).code(), PLUMB_CANCELLED);
}

TEST_F(TargetProcessTest, TheTailOfALogIsItsLastLines) {
  std::ofstream(log_) << "one\ntwo\nthree\n";
  EXPECT_EQ(tail_of(log_, 2), "two\nthree");
  EXPECT_EQ(tail_of(log_, 9), "one\ntwo\nthree");
  EXPECT_EQ(tail_of(dir_ / "missing", 2), "");
}

}  // namespace
}  // namespace plumb::engine
