// Programs of languages that run in an interpreter or generate their code.
#include <cstdlib>
#include <filesystem>

#include "plugins/stack_profile/live_watch.h"

namespace plumb::stack_profile {
namespace {

using RuntimesLive = StackProfileLive;

// The words of a Node program whose one function is hot.
std::vector<std::string> node(bool perf_map) {
  std::vector<std::string> words{"node"};
  if (perf_map) {
    words.emplace_back("--perf-basic-prof");
    // V8 keeps a log with it, which would be left where the test was started.
    words.emplace_back("--no-logfile-per-isolate");
    words.emplace_back("--logfile=" + std::string(PLUMB_BINARY_DIR) + "/tests/node.log");
  }
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

TEST_F(RuntimesLive, NamesTheHotFunctionOfANodeProgramByItsPerfMap) {
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

TEST_F(RuntimesLive, ANodeProgramWithoutPerfMapShowsNodesOwnFrames) {
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

TEST_F(RuntimesLive, APythonProgramShowsItsInterpreter) {
  if (!runs("python3 --version")) GTEST_SKIP() << "there is no python3 here";
  Target target({"/usr/bin/python3", "-c", kPythonProgram});
  Watch watch(target.pid());
  watch.collect_for(milliseconds(2500));
  watch.stop();
  const RecordingHost& host = watch.host;
  const double all = host.seconds("on_cpu");
  EXPECT_GT(host.seconds("on_cpu", "_PyEval_EvalFrameDefault"), 0.8 * all) << host.top("on_cpu");
}

// Three threads, each of which holds the lock most of the time that it runs, or waits for work.
std::string python_threads(const std::string& work) {
  return "import threading, time\n"
         "lock, news = threading.Lock(), threading.Condition()\n"
         "def work():\n"
         "    end = time.time() + 60\n"
         "    while time.time() < end:\n" +
         work +
         "for _ in range(3): threading.Thread(target=work, daemon=True).start()\n"
         "time.sleep(60)\n";
}

TEST_F(RuntimesLive, TellsAPythonThreadThatWaitsForALockFromOneThatWaitsForWork) {
  needs_off_cpu();
  if (!runs("python3 --version")) GTEST_SKIP() << "there is no python3 here";
  const auto lock_wait = [](const std::string& work) {
    Target target({"/usr/bin/python3", "-c", python_threads(work)});
    Watch watch(target.pid());
    watch.collect_for(milliseconds(2500));
    watch.stop();
    return watch.host.series.at("profile_lock_wait_seconds_total");
  };
  // Two of three wait at any instant. The pause lets another have the lock.
  EXPECT_GT(lock_wait("        with lock: time.sleep(0.01)\n        time.sleep(0.001)\n"), 2.5);
  EXPECT_LT(lock_wait("        with news: news.wait(0.01)\n"), 0.3);
}

TEST_F(RuntimesLive, NamesTheHotFunctionOfAPythonProgramByItsPerfMap) {
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
  const std::string map = "/tmp/perf-" + std::to_string(target.pid()) + ".map";
  target.end();
  std::filesystem::remove(map);
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

}  // namespace
}  // namespace plumb::stack_profile
