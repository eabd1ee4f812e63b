// Test only: the built plugin, run through its C entry as plumb-host runs it.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_PLUGIN_RUN_H_
#define PLUMB_PLUGINS_SQLITE_STATS_PLUGIN_RUN_H_

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "child.h"
#include "fake_host.h"

namespace plumb::sqlite_stats {

class PluginRun {
 public:
  struct Options {
    std::string database;
    std::string statements = {};
    bool inspect = false;
  };

  explicit PluginRun(const std::string& library = PLUMB_SQLITE_STATS)
      : library_(::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) throw std::runtime_error(::dlerror());
    plugin_ = reinterpret_cast<plumb_plugin_entry_fn>(::dlsym(library_, PLUMB_ENTRY_SYMBOL))();
  }
  ~PluginRun() {
    if (self_ != nullptr) plugin_->destroy(self_);
    ::dlclose(library_);
  }
  PluginRun(const PluginRun&) = delete;
  PluginRun& operator=(const PluginRun&) = delete;

  void start(const Options& options) {
    ASSERT_EQ(plugin_->create(host.get(), &self_, &error_), PLUMB_OK);
    std::vector<plumb_value> values{
        {sizeof(plumb_value), PLUMB_OPTION_PATH, "database", options.database.c_str(), 0, 0},
        {sizeof(plumb_value), PLUMB_OPTION_BOOLEAN, "inspect", nullptr, options.inspect ? 1 : 0,
         0}};
    if (!options.statements.empty())
      values.push_back(
          {sizeof(plumb_value), PLUMB_OPTION_PATH, "statements", options.statements.c_str(), 0, 0});
    const plumb_config config{sizeof(plumb_config), static_cast<uint32_t>(values.size()),
                              values.data(), "{}"};
    ASSERT_EQ(plugin_->configure(self_, &config, &error_), PLUMB_OK) << error_.message;
    ASSERT_EQ(plugin_->start(self_, &error_), PLUMB_OK) << error_.message;
    start_ns = monotonic_ns();
  }

  // As the engine does it: one collect every 10 ms while `goes_on`, for 50 s at most.
  void collect_while(const std::function<bool()>& goes_on) {
    constexpr int64_t kTickNs = 10'000'000;
    constexpr int64_t kMostNs = 50'000'000'000;
    const int64_t begun_ns = monotonic_ns();
    const double cpu_before = cpu_seconds();
    int64_t next_ns = begun_ns;
    while (goes_on()) {
      ASSERT_EQ(plugin_->collect(self_, &error_), PLUMB_OK) << error_.message;
      ASSERT_LT(monotonic_ns() - begun_ns, kMostNs);
      next_ns = std::max(next_ns + kTickNs, monotonic_ns());
      const timespec until{next_ns / 1'000'000'000, next_ns % 1'000'000'000};
      ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
    end_ns = monotonic_ns();
    cpu_share = (cpu_seconds() - cpu_before) / (static_cast<double>(end_ns - begun_ns) / 1e9);
  }
  void collect_for(int64_t ns) {
    const int64_t until = monotonic_ns() + ns;
    collect_while([until] { return monotonic_ns() < until; });
  }

  void stop() {
    constexpr int64_t kStopTime = 5'000'000'000;
    ASSERT_EQ(plugin_->stop(self_, monotonic_ns() + kStopTime, &error_), PLUMB_OK)
        << error_.message;
    plugin_->destroy(self_);
    self_ = nullptr;
  }

  nlohmann::json rows(const std::string& table) const {
    const auto found = host.tables.find(table);
    if (found == host.tables.end()) return nlohmann::json::array();
    return nlohmann::json::parse(found->second).at("rows");
  }
  bool has_event(const std::string& kind) const {
    return std::any_of(host.events.begin(), host.events.end(),
                       [&kind](const SeenEvent& event) { return event.kind == kind; });
  }
  double last(const std::string& series) { return host.samples.at(series).back().value; }

  FakeHost host;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  double cpu_share = 0;  // of one core, of the last collect_while

 private:
  static double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  }

  void* library_;
  const plumb_plugin* plugin_ = nullptr;
  void* self_ = nullptr;
  plumb_error error_{sizeof(plumb_error), {}};
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_PLUGIN_RUN_H_
