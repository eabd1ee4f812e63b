// main() of tests that hold what they measured against the truth. They need the processors they
// are given: a test that failed while the hypervisor kept them runs again, and is skipped where
// they do not come back. Whoever fails without theft has failed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr double kMostStolen = 0.1;  // of the processors' time during a test
constexpr int kMostTries = 3;
constexpr int kSkipped = 77;  // SKIP_RETURN_CODE of the tests that have this main
constexpr const char* kTries = "PLUMB_TEST_TRIES";

struct ProcessorTime {  // in ticks, of all processors
  double stolen = 0, all = 0;
};

ProcessorTime processor_time() {
  constexpr int kModes = 8;  // user nice system idle iowait irq softirq steal; guests are in user
  std::ifstream stat("/proc/stat");
  std::string name;
  stat >> name;
  ProcessorTime time;
  for (int i = 0; i < kModes && stat >> time.stolen; ++i) time.all += time.stolen;
  return time;
}

double stolen_since(const ProcessorTime& begin) {
  const ProcessorTime end = processor_time();
  return end.all > begin.all ? (end.stolen - begin.stolen) / (end.all - begin.all) : 0;
}

class Failures : public testing::EmptyTestEventListener {
 public:
  // For --gtest_filter; empty where nothing failed, or something failed without theft.
  std::string to_try_again() const { return without_theft_ ? "" : under_theft_; }

 private:
  void OnTestStart(const testing::TestInfo&) override { begin_ = processor_time(); }

  void OnTestEnd(const testing::TestInfo& test) override {
    if (!test.result()->Failed()) return;
    const double stolen = stolen_since(begin_);
    std::cout << "stolen by the hypervisor: " << stolen * 100 << "% of the processors" << std::endl;
    if (stolen <= kMostStolen) {
      without_theft_ = true;
    } else {
      if (!under_theft_.empty()) under_theft_ += ':';
      under_theft_ += std::string(test.test_suite_name()) + "." + test.name();
    }
  }
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    without_theft_ |= suite.ad_hoc_test_result().Failed();
  }
  void OnTestProgramEnd(const testing::UnitTest& all) override {
    without_theft_ |= all.ad_hoc_test_result().Failed();
  }

  ProcessorTime begin_;
  std::string under_theft_;
  bool without_theft_ = false;
};

int tries_before() {
  const char* tries = std::getenv(kTries);
  return tries != nullptr ? std::atoi(tries) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  testing::InitGoogleMock(&argc, argv);
  auto* failures = new Failures;  // GoogleTest deletes it
  testing::UnitTest::GetInstance()->listeners().Append(failures);
  const int code = RUN_ALL_TESTS();
  const std::string again = failures->to_try_again();
  if (code == 0 || again.empty()) return code;
  const int tries = tries_before() + 1;
  if (tries == kMostTries) {
    std::cout << "skipped, since the hypervisor keeps the processors: " << again << std::endl;
    return kSkipped;
  }
  arguments.push_back("--gtest_filter=" + again);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  setenv(kTries, std::to_string(tries).c_str(), 1);
  std::cout << "once more, after theft by the hypervisor: " << again << std::endl;
  execv("/proc/self/exe", pointers.data());
  return code;
}
