// What the live tests share: programs that are started and ended, and the plugin driven through its
// C entry. Where the kernel forbids perf events, the tests say so and are skipped.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_LIVE_WATCH_H_
#define PLUMB_PLUGINS_STACK_PROFILE_LIVE_WATCH_H_

#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "plugins/stack_profile/perf_events.h"
#include "plugins/stack_profile/recording_host.h"

extern "C" const plumb_plugin* plumb_plugin_entry_v1(void);

namespace plumb::stack_profile {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

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
inline Choice word(std::string key, std::string value) {
  return {std::move(key), PLUMB_OPTION_STRING, std::move(value), 0, 0};
}
inline Choice whole(std::string key, int64_t value) {
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
  void stop() {
    check(table_->stop(self_, host.get()->now_ns(host.get()->context) + 1'000'000'000, &error_));
  }

  RecordingHost host;

 private:
  void check(int32_t code) { EXPECT_EQ(code, PLUMB_OK) << error_.message; }
  const plumb_plugin* table_ = plumb_plugin_entry_v1();
  void* self_ = nullptr;
  plumb_error error_{sizeof(plumb_error), {}};
};

// Of the table profile_top, the function with the largest share of its own.
inline std::string top_function(const RecordingHost& host, const std::string& profile) {
  const auto table = host.tables.find("profile_top");
  if (table == host.tables.end()) return "no table";
  const auto json = nlohmann::json::parse(table->second);
  for (const auto& row : json["rows"]) {
    if (row[0] == profile) return row[1];
  }
  return "no row in " + table->second;
}

// Processor seconds of a process's first thread until now, as the scheduler counts them.
inline double processor_seconds(pid_t pid) {
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

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_LIVE_WATCH_H_
