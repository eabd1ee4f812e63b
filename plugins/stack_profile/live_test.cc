// The plugin on real programs: what it must find is known because the programs do nothing else.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "plugins/stack_profile/live_watch.h"

namespace plumb::stack_profile {
namespace {

const std::string kPrograms = std::string(PLUMB_BINARY_DIR) + "/tests/";

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

TEST_F(StackProfileLive, NamesTheHotFunctionOfAStrippedProgramByItsCompressedSymbols) {
  // As Fedora ships its programs: the symbols as an ELF file of their own, packed into a section.
  const std::string made = kPrograms + "hot_compressed";
  const std::string commands = "cd " + kPrograms +
                               " && objcopy --only-keep-debug hot_without_frames hot_mini"
                               " && xz -f hot_mini && strip -o hot_compressed hot_without_frames"
                               " && objcopy --add-section .gnu_debugdata=hot_mini.xz hot_compressed"
                               " && rm hot_mini.xz";
  if (std::system("command -v xz >/dev/null") != 0) GTEST_SKIP() << "there is no xz here";
  ASSERT_EQ(std::system(commands.c_str()), 0);
  finds_the_hot_function("hot_compressed");
  std::filesystem::remove(made);
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
    EXPECT_NEAR(host.series.at("profile_lock_wait_seconds_total"), waited, 0.1);
    const nlohmann::json locks = nlohmann::json::parse(host.tables.at("profile_locks"));
    EXPECT_EQ(locks["rows"][0][0], "shop::take_ledger") << locks.dump();
    EXPECT_EQ(locks["rows"][0][1], "pthread_mutex_lock") << locks.dump();
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
  EXPECT_EQ(watch.host.series.at("profile_lock_wait_seconds_total"), 0);
  EXPECT_FALSE(watch.host.tables.contains("profile_locks"));
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
  Watch watch(target.pid(), {whole("max_switches", 20'000)});
  watch.collect_for(milliseconds(9000));
  watch.stop();
  const RecordingHost& host = watch.host;
  EXPECT_NE(std::find(host.events.begin(), host.events.end(), "off-cpu-limited"),
            host.events.end());
  EXPECT_GT(host.seconds("off_cpu", "shop::bounce"), 0.1) << host.top("off_cpu");
  // One thread sleeps all the time; at no time do more than three wait.
  // How soon it is first seen to fall asleep is a matter of chance.
  EXPECT_GT(host.seconds("off_cpu", "shop::nap"), 1.5) << host.top("off_cpu");
  EXPECT_LT(host.seconds("off_cpu"), 3.2 * 9) << host.top("off_cpu");
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

TEST_F(StackProfileLive, ThreadsBornAllTheTimeAreSeenWaitingFromTheStart) {
  needs_off_cpu();
  Target target({kPrograms + "hot_without_frames", "crowd"});
  std::this_thread::sleep_for(milliseconds(1000));
  Watch watch(target.pid());
  watch.collect_for(milliseconds(3000));
  watch.stop();
  const RecordingHost& host = watch.host;
  // Each naps for 0.2 s, and one is born about every millisecond and a bit.
  EXPECT_GT(host.seconds("off_cpu", "shop::nap"), 0.9 * host.seconds("off_cpu", "nanosleep"))
      << host.top("off_cpu");
  EXPECT_GT(host.seconds("off_cpu", "shop::nap"), 100) << host.top("off_cpu");
  EXPECT_GT(host.seconds("on_cpu", "shop::grind_beans"), 0.02) << host.top("on_cpu");
}

TEST_F(StackProfileLive, ALibraryThatComesAndGoesHasNames) {
  Target target({kPrograms + "hot_without_frames", "reload", kPrograms + "late_library.so"});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(3000));
  watch.stop();
  EXPECT_GT(watch.host.seconds("on_cpu", "late_grind"), 0.6 * watch.host.seconds("on_cpu"))
      << watch.host.top("on_cpu");
}

TEST_F(StackProfileLive, AServerThatForksIsOneProgramToTheEye) {
  Target target({kPrograms + "hot_without_frames", "prefork"});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(3000));
  watch.stop();
  const RecordingHost& host = watch.host;
  EXPECT_EQ(top_function(host, "on_cpu"), "shop::grind_beans") << host.top("on_cpu");
  EXPECT_LT(host.seconds("on_cpu", "[unknown]"), 0.1 * host.seconds("on_cpu"))
      << host.top("on_cpu");
}

TEST_F(StackProfileLive, BeyondItsBudgetItGoesSlower) {
  Target target({kPrograms + "hot_without_frames", "burn2"});
  Watch watch(target.pid(), {whole("frequency", 999), real("cpu_budget", 0.001)});
  watch.collect_for(milliseconds(5500));
  watch.stop();
  const RecordingHost& host = watch.host;
  EXPECT_NE(std::find(host.events.begin(), host.events.end(), "profile-slowed"), host.events.end());
  EXPECT_EQ(top_function(host, "on_cpu"), "shop::grind_beans") << host.top("on_cpu");
}

}  // namespace
}  // namespace plumb::stack_profile
