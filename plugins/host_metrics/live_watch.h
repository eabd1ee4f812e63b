// The plugin driven as its host drives it, and children to watch, for tests on real processes.
#ifndef PLUMB_PLUGINS_HOST_METRICS_LIVE_WATCH_H_
#define PLUMB_PLUGINS_HOST_METRICS_LIVE_WATCH_H_

#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/recording_host.h"

extern "C" const plumb_plugin* plumb_plugin_entry_v1(void);

namespace plumb::host_metrics {

using test_support::RecordingHost;
using LiveClock = std::chrono::steady_clock;

// The plugin, driven as the host drives it: one collect per interval until told to stop.
class Watch {
 public:
  explicit Watch(const std::string& process) {
    const std::string document = R"({"target":{"process":)" + process + "}}";
    plumb_config config{};
    config.struct_size = sizeof(config);
    config.document = document.c_str();
    check(table_->create(host.get(), &self_, &error_));
    check(table_->configure(self_, &config, &error_));
    check(table_->start(self_, &error_));
  }
  ~Watch() {
    check(table_->stop(self_, host.get()->now_ns(host.get()->context) + 1'000'000'000, &error_));
    table_->destroy(self_);
  }
  void collect_for(std::chrono::milliseconds time) {
    const auto end = LiveClock::now() + time;
    for (auto due = LiveClock::now(); due < end;) {
      check(table_->collect(self_, &error_));
      due += std::chrono::nanoseconds(table_->descriptor->default_interval_ns);
      std::this_thread::sleep_until(due);
    }
  }

  RecordingHost host;

 private:
  void check(int32_t code) { EXPECT_EQ(code, PLUMB_OK) << error_.message; }
  const plumb_plugin* table_ = plumb_plugin_entry_v1();
  void* self_ = nullptr;
  plumb_error error_{sizeof(plumb_error), {}};
};

// A child of the test that is ended and waited for with it.
class Child {
 public:
  template <typename Body>
  explicit Child(Body&& body) {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::alarm(100);  // should the test die first
      body();
      ::_exit(0);
    }
  }
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  std::string selector() const { return R"({"pid":)" + std::to_string(pid_) + "}"; }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

inline double mean_after_first(const std::vector<RecordingHost::Point>& points) {
  double sum = 0;
  for (size_t i = 1; i < points.size(); ++i) sum += points[i].value;
  return points.size() > 1 ? sum / static_cast<double>(points.size() - 1) : -1;
}

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_LIVE_WATCH_H_
