// The plugin through its C entry, on real programs: what it must find is known because the programs
// do nothing else. Where the kernel forbids perf events, these tests say so and are skipped.
#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "plugins/stack_profile/perf_events.h"
#include "plugins/stack_profile/recording_host.h"

extern "C" const plumb_plugin* plumb_plugin_entry_v1(void);

namespace plumb::stack_profile {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

const std::string kPrograms = std::string(PLUMB_BINARY_DIR) + "/tests/";

// A program that is ended and waited for with the object.
class Target {
 public:
  explicit Target(std::vector<std::string> words) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ~Target() { end(); }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

struct Choice {
  std::string key;
  uint32_t type;
  std::string text;
  int64_t integer;
  double number;
};
Choice word(std::string key, std::string value) {
  return {std::move(key), PLUMB_OPTION_STRING, std::move(value), 0, 0};
}
Choice whole(std::string key, int64_t value) {
  return {std::move(key), PLUMB_OPTION_INTEGER, "", value, 0};
}
[[maybe_unused]] Choice real(std::string key, double value) {
  return {std::move(key), PLUMB_OPTION_NUMBER, "", 0, value};
}

// The plugin, driven as the host drives it: one collect per interval until told to stop.
class Watch {
 public:
  explicit Watch(pid_t pid, const std::vector<Choice>& choices = {}) {
    const std::string document = R"({"target":{"process":{"pid":)" + std::to_string(pid) + "}}}";
    std::vector<plumb_value> values;
    for (const Choice& c : choices) {
      values.push_back(
          {sizeof(plumb_value), c.type, c.key.c_str(), c.text.c_str(), c.integer, c.number});
    }
    plumb_config config{};
    config.struct_size = sizeof(config);
    config.value_count = static_cast<uint32_t>(values.size());
    config.values = values.data();
    config.document = document.c_str();
    check(table_->create(host.get(), &self_, &error_));
    check(table_->configure(self_, &config, &error_));
    check(table_->start(self_, &error_));
  }
  ~Watch() {
    stop();
    table_->destroy(self_);
    EXPECT_TRUE(host.breaches.empty()) << host.breaches.front();
  }
  void collect_for(milliseconds time) {
    const auto end = Clock::now() + time;
    for (auto due = Clock::now(); due < end;) {
      check(table_->collect(self_, &error_));
      due += std::chrono::nanoseconds(table_->descriptor->default_interval_ns);
      std::this_thread::sleep_until(due);
    }
  }
  void stage(uint32_t kind) {
    plumb_stage stage{};
    stage.struct_size = sizeof(stage);
    stage.kind = kind;
    stage.name = "a stage";
    check(table_->stage(self_, &stage, &error_));
  }
  void stop() { check(table_->stop(self_, host.get()->now_ns(nullptr) + 1'000'000'000, &error_)); }

  RecordingHost host;

 private:
  void check(int32_t code) { EXPECT_EQ(code, PLUMB_OK) << error_.message; }
  const plumb_plugin* table_ = plumb_plugin_entry_v1();
  void* self_ = nullptr;
  plumb_error error_{sizeof(plumb_error), {}};
};

// Of the table profile_top, the function with the largest share of its own.
std::string top_function(const RecordingHost& host, const std::string& profile) {
  const auto table = host.tables.find("profile_top");
  if (table == host.tables.end()) return "no table";
  const auto json = nlohmann::json::parse(table->second);
  for (const auto& row : json["rows"]) {
    if (row[0] == profile) return row[1];
  }
  return "no row in " + table->second;
}

// Processor seconds of a process's first thread until now, as the scheduler counts them.
double processor_seconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/schedstat");
  double nanoseconds = 0;
  file >> nanoseconds;
  return nanoseconds * 1e-9;
}

class StackProfileLive : public ::testing::Test {
 protected:
  void SetUp() override {
    access_ = probe_access(kernel_open_event(), proc::Root{});
    if (!access_.on_cpu) GTEST_SKIP() << access_.refused;
  }
  void needs_off_cpu() {
    if (!access_.off_cpu) GTEST_SKIP() << access_.off_cpu_refused;
  }
  Access access_;
};

// The hot function is on top, its callers are above it in order, and the seconds are those that the
// program used.
void finds_the_hot_function(const std::string& program, const std::vector<Choice>& choices = {}) {
  Target target({kPrograms + program, "burn"});
  std::this_thread::sleep_for(milliseconds(50));
  Watch watch(target.pid(), choices);
  const double before = processor_seconds(target.pid());
  watch.collect_for(milliseconds(2500));
  watch.stop();
  const double used = processor_seconds(target.pid()) - before;
  const RecordingHost& host = watch.host;
  EXPECT_EQ(top_function(host, "on_cpu"), "shop::grind_beans") << host.top("on_cpu");
  const double all = host.seconds("on_cpu");
  EXPECT_NEAR(all, used, 0.1 * used + 0.1);
  const double whole =
      host.seconds("on_cpu", "main;shop::serve_order;shop::brew<unsigned long>;shop::grind_beans");
  EXPECT_GT(whole, 0.9 * all) << host.top("on_cpu");
  EXPECT_EQ(host.health, static_cast<uint32_t>(PLUMB_HEALTH_OK)) << host.health_message;
  EXPECT_EQ(host.series.at("profile_lost_total{profile=on_cpu}"), 0);
}

TEST_F(StackProfileLive, NamesTheHotFunctionOfAProgramWithFramePointers) {
  finds_the_hot_function("hot_with_frames");
}
TEST_F(StackProfileLive, FramePointersAloneDoWhereTheCodeKeepsThem) {
  finds_the_hot_function("hot_with_frames", {word("unwind", "frame_pointer")});
}
TEST_F(StackProfileLive, NamesTheHotFunctionOfAProgramWithoutFramePointers) {
  finds_the_hot_function("hot_without_frames");
}
TEST_F(StackProfileLive, NamesTheHotFunctionOfAProgramAtAFixedAddress) {
  finds_the_hot_function("hot_fixed_address");
}
TEST_F(StackProfileLive, NamesTheHotFunctionOfAStrippedProgramByItsDynamicSymbols) {
  finds_the_hot_function("hot_stripped");
}

TEST_F(StackProfileLive, NamesTheLockThatThreadsWaitFor) {
  needs_off_cpu();
  for (const char* program : {"hot_with_frames", "hot_without_frames"}) {
    Target target({kPrograms + program, "contend"});
    Watch watch(target.pid());
    watch.collect_for(milliseconds(2500));
    watch.stop();
    const RecordingHost& host = watch.host;
    EXPECT_EQ(top_function(host, "off_cpu"), "pthread_mutex_lock") << host.top("off_cpu");
    // Three clerks, of whom two wait at any time; the third naps with the lock held.
    const double waited =
        host.seconds("off_cpu", "shop::write_ledger;shop::take_ledger;pthread_mutex_lock");
    EXPECT_NEAR(waited, 2 * 2.5, 1.0) << host.top("off_cpu");
    EXPECT_GT(host.seconds("off_cpu", ";clerk;"), waited) << host.top("off_cpu");
    EXPECT_NEAR(host.seconds("off_cpu", "nanosleep"), 2.5, 0.8) << host.top("off_cpu");
  }
}

TEST_F(StackProfileLive, ASleepIsToldFromALock) {
  needs_off_cpu();
  Target target({kPrograms + "hot_without_frames", "nap"});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(1500));
  watch.stop();
  EXPECT_GT(watch.host.seconds("off_cpu", "shop::nap"), 1.1) << watch.host.top("off_cpu");
  EXPECT_EQ(watch.host.seconds("off_cpu", "pthread_mutex_lock"), 0);
  EXPECT_GT(watch.host.seconds("off_cpu", "nanosleep_[k]"), 1.1) << watch.host.top("off_cpu");
}

TEST_F(StackProfileLive, ThreadsThatComeAndGoAreSampledEachOnce) {
  Target target({kPrograms + "hot_without_frames", "churn"});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(3500));
  watch.stop();
  const RecordingHost& host = watch.host;
  // Twice as much would mean that threads were attached and inherited.
  EXPECT_LT(host.seconds("on_cpu"), 3.9) << host.top("on_cpu");
  EXPECT_GT(host.seconds("on_cpu", "shop::work_briefly;shop::grind_beans"), 0.2)
      << host.top("on_cpu");
  EXPECT_EQ(top_function(host, "on_cpu"), "shop::grind_beans") << host.top("on_cpu");
}

TEST_F(StackProfileLive, ChildrenThatForkExecAndDieAreFollowed) {
  Target target({kPrograms + "hot_without_frames", "breed"});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(3500));
  watch.stop();
  const RecordingHost& host = watch.host;
  EXPECT_GT(host.seconds("on_cpu", "shop::work_briefly;shop::grind_beans"), 0.05)
      << host.top("on_cpu");
  // After its exec a child is called otherwise and has another address layout.
  EXPECT_GT(host.seconds("on_cpu", "main;shop::serve_order;shop::brew<unsigned long>"), 0.1)
      << host.top("on_cpu");
  EXPECT_LT(host.seconds("on_cpu", "[unknown]"), 0.1 * host.seconds("on_cpu"))
      << host.top("on_cpu");
}

TEST_F(StackProfileLive, ALibraryLoadedMidwayHasNames) {
  Target target({kPrograms + "hot_without_frames", "late", kPrograms + "late_library.so"});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(3000));
  watch.stop();
  EXPECT_GT(watch.host.seconds("on_cpu", "late_arrival;late_grind"), 0.2)
      << watch.host.top("on_cpu");
}

TEST_F(StackProfileLive, ATargetThatDiesAndComesBackIsFollowed) {
  // Selected by its parent: this test, whose children come and go.
  Watch watch(::getpid());
  {
    Target first({kPrograms + "hot_without_frames", "burn"});
    watch.collect_for(milliseconds(1300));
  }
  watch.collect_for(milliseconds(300));
  Target second({kPrograms + "hot_stripped", "burn"});
  watch.collect_for(milliseconds(2500));
  second.end();
  watch.collect_for(milliseconds(200));
  watch.stop();
  const RecordingHost& host = watch.host;
  EXPECT_GT(host.seconds("on_cpu", "hot_without_fra;"), 0.1) << host.top("on_cpu");
  EXPECT_GT(host.seconds("on_cpu", "hot_stripped;"), 0.1) << host.top("on_cpu");
}

TEST_F(StackProfileLive, AProgramWhoseFileIsGoneHasNames) {
  const std::string copy = kPrograms + "hot_deleted";
  std::filesystem::copy_file(kPrograms + "hot_without_frames", copy,
                             std::filesystem::copy_options::overwrite_existing);
  Target target({copy, "burn"});
  std::this_thread::sleep_for(milliseconds(100));
  std::filesystem::remove(copy);
  Watch watch(target.pid());
  watch.collect_for(milliseconds(1500));
  watch.stop();
  EXPECT_EQ(top_function(watch.host, "on_cpu"), "shop::grind_beans") << watch.host.top("on_cpu");
}

TEST_F(StackProfileLive, ASwitchStormIsLimitedAndLongSleepsAreStillSeen) {
  needs_off_cpu();
  Target target({kPrograms + "hot_without_frames", "storm"});
  Watch watch(target.pid(), {whole("max_switches", 2000)});
  watch.collect_for(milliseconds(6500));
  watch.stop();
  const RecordingHost& host = watch.host;
  EXPECT_NE(std::find(host.events.begin(), host.events.end(), "off-cpu-limited"),
            host.events.end());
  EXPECT_GT(host.seconds("off_cpu", "shop::bounce"), 0.1) << host.top("off_cpu");
  // One thread sleeps all the time; at no time do more than three wait.
  EXPECT_GT(host.seconds("off_cpu", "shop::nap"), 2) << host.top("off_cpu");
  EXPECT_LT(host.seconds("off_cpu"), 3.2 * 6.5) << host.top("off_cpu");
}

// The words of a Node program whose one function is hot.
std::vector<std::string> node(bool perf_map) {
  std::vector<std::string> words{"node"};
  if (perf_map) words.emplace_back("--perf-basic-prof");
  words.emplace_back("-e");
  words.emplace_back(
      "function roastBeans(n){let x=1;for(let i=0;i<n;i++){x=(x*16807+i)%2147483647}return x}"
      "function openShop(){const end=Date.now()+60000;let s=0;"
      "while(Date.now()<end)s+=roastBeans(1e6);return s}openShop()");
  return words;
}

bool runs(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

TEST_F(StackProfileLive, NamesTheHotFunctionOfANodeProgramByItsPerfMap) {
  if (!runs("node --version")) GTEST_SKIP() << "there is no node here";
  Target target(node(true));
  Watch watch(target.pid());
  watch.collect_for(milliseconds(4500));
  const std::string map = "/tmp/perf-" + std::to_string(target.pid()) + ".map";
  watch.stop();
  target.end();
  std::filesystem::remove(map);
  const RecordingHost& host = watch.host;
  EXPECT_NE(top_function(host, "on_cpu").find("roastBeans"), std::string::npos)
      << host.top("on_cpu");
  EXPECT_GT(host.seconds("on_cpu", "node::Start;"), 0.8 * host.seconds("on_cpu", "roastBeans"))
      << host.top("on_cpu");
}

TEST_F(StackProfileLive, ANodeProgramWithoutPerfMapShowsNodesOwnFrames) {
  if (!runs("node --version")) GTEST_SKIP() << "there is no node here";
  Target target(node(false));
  Watch watch(target.pid());
  watch.collect_for(milliseconds(4500));
  watch.stop();
  const RecordingHost& host = watch.host;
  const double all = host.seconds("on_cpu");
  EXPECT_GT(host.seconds("on_cpu", "node::"), 0.6 * all) << host.top("on_cpu");
  EXPECT_GT(host.seconds("on_cpu", "[generated code]"), 0.5 * all) << host.top("on_cpu");
}

constexpr const char* kPythonProgram =
    "import time\n"
    "def steep_tea(n):\n"
    "    x = 1\n"
    "    for i in range(n):\n"
    "        x = (x * 16807 + i) % 2147483647\n"
    "    return x\n"
    "def open_tearoom():\n"
    "    end = time.time() + 60\n"
    "    while time.time() < end:\n"
    "        steep_tea(10000)\n"
    "open_tearoom()\n";

TEST_F(StackProfileLive, APythonProgramShowsItsInterpreter) {
  if (!runs("python3 --version")) GTEST_SKIP() << "there is no python3 here";
  Target target({"/usr/bin/python3", "-c", kPythonProgram});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(2500));
  watch.stop();
  const RecordingHost& host = watch.host;
  const double all = host.seconds("on_cpu");
  EXPECT_GT(host.seconds("on_cpu", "_PyEval_EvalFrameDefault"), 0.8 * all) << host.top("on_cpu");
}

TEST_F(StackProfileLive, NamesTheHotFunctionOfAPythonProgramByItsPerfMap) {
  // Whichever python3 is new enough, and built with support for perf.
  const char* given = std::getenv("PLUMB_TEST_PYTHON");
  std::string python = given != nullptr ? given : "";
  for (const std::string name : {"python3", "python3.12", "python3.13", "python3.14"}) {
    const char* asks =
        " -X perf -c 'import sys; sys.exit(0 if sys.is_stack_trampoline_active() else 1)'";
    if (python.empty() && runs(name + asks)) python = name;
  }
  if (python.empty())
    GTEST_SKIP() << "no Python of 3.12 or later with support for perf here; "
                    "PLUMB_TEST_PYTHON may name one";
  Target target({python, "-X", "perf", "-c", kPythonProgram});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(3500));
  watch.stop();
  target.end();
  std::filesystem::remove("/tmp/perf-" + std::to_string(target.pid()) + ".map");
  const RecordingHost& host = watch.host;
  const double hot = host.seconds("on_cpu", "py::steep_tea:");
  EXPECT_GT(hot, 0.8 * host.seconds("on_cpu")) << host.top("on_cpu");
  // Its callers too, in order.
  double whole = 0;
  for (const auto& [frames, seconds] : host.profiles.at("on_cpu")) {
    const size_t module = frames.find("py::<module>:");
    const size_t room = frames.find("py::open_tearoom:");
    const size_t tea = frames.find("py::steep_tea:");
    if (module < room && room < tea && tea != std::string::npos) whole += seconds;
  }
  EXPECT_GT(whole, 0.8 * hot) << host.top("on_cpu");
}

TEST_F(StackProfileLive, AStageEndEmitsAndTheTableKeepsTheSteadyStage) {
  Target target({kPrograms + "hot_without_frames", "late", kPrograms + "late_library.so"});
  Watch watch(target.pid());
  watch.stage(PLUMB_STAGE_WARMUP);
  watch.collect_for(milliseconds(600));
  watch.stage(PLUMB_STAGE_STEADY);
  EXPECT_GT(watch.host.seconds("on_cpu"), 0);
  watch.collect_for(milliseconds(2400));
  watch.stage(PLUMB_STAGE_COOLDOWN);
  EXPECT_EQ(top_function(watch.host, "on_cpu"), "late_grind") << watch.host.top("on_cpu");
  const std::string table = watch.host.tables["profile_top"];
  watch.collect_for(milliseconds(400));
  watch.stop();
  EXPECT_EQ(watch.host.tables["profile_top"], table);
}

// Runs `body` in a child without any privilege and gives what it returns.
std::string as_nobody(const std::function<std::string()>& body) {
  constexpr uid_t kNobody = 65534;
  int pipe[2];
  if (::pipe(pipe) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    const bool dropped = ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
    const std::string said = dropped ? body() : "could not become nobody";
    const bool written = ::write(pipe[1], said.data(), said.size()) >= 0;
    ::_exit(written ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(pipe[0], buffer, sizeof(buffer))) > 0;) {
    said.append(buffer, static_cast<size_t>(n));
  }
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
  return said;
}

int paranoid_level() {
  int level = 0;
  std::ifstream("/proc/sys/kernel/perf_event_paranoid") >> level;
  return level;
}

TEST_F(StackProfileLive, WithoutPrivilegeItSeesItsOwnUsersFunctionsAndSaysWhatIsMissing) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give it up";
  if (paranoid_level() != 2) GTEST_SKIP() << "kernel.perf_event_paranoid is not 2 here";
  const std::string said = as_nobody([] {
    Target target({kPrograms + "hot_without_frames", "burn"});
    Watch watch(target.pid());
    watch.collect_for(milliseconds(2000));
    watch.stop();
    const RecordingHost& host = watch.host;
    return std::to_string(host.health) + " " + top_function(host, "on_cpu") + " " +
           std::to_string(host.seconds("on_cpu") > 0.1) + " " +
           std::to_string(host.seconds("off_cpu")) + " " + host.health_message;
  });
  EXPECT_TRUE(said.starts_with("2 shop::grind_beans 1 0.0")) << said;
  EXPECT_NE(said.find("kernel.perf_event_paranoid is 2: set it to 1"), std::string::npos) << said;
}

TEST_F(StackProfileLive, AnotherUsersProcessIsRefusedWithTheRemedy) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give it up";
  if (paranoid_level() < 1) GTEST_SKIP() << "kernel.perf_event_paranoid lets everybody in here";
  Target target({kPrograms + "hot_without_frames", "burn"});
  const std::string said = as_nobody([&] {
    Watch watch(target.pid());
    watch.collect_for(milliseconds(1500));
    watch.stop();
    return std::to_string(watch.host.health) + " " + std::to_string(watch.host.seconds("on_cpu")) +
           " " + watch.host.health_message;
  });
  EXPECT_FALSE(said.starts_with("1")) << said;
  EXPECT_NE(said.find(" 0.0"), std::string::npos) << said;
  if (paranoid_level() <= 2) {
    EXPECT_NE(said.find("belongs to another user"), std::string::npos) << said;
  }
}

TEST_F(StackProfileLive, BeyondItsBudgetItGoesSlower) {
  Target target({kPrograms + "hot_without_frames", "burn2"});
  Watch watch(target.pid(), {whole("frequency", 999), real("budget", 0.001)});
  watch.collect_for(milliseconds(5500));
  watch.stop();
  const RecordingHost& host = watch.host;
  EXPECT_NE(std::find(host.events.begin(), host.events.end(), "profile-slowed"), host.events.end());
  EXPECT_EQ(top_function(host, "on_cpu"), "shop::grind_beans") << host.top("on_cpu");
}

}  // namespace
}  // namespace plumb::stack_profile
