// The whole plugin through its C entry, for tests: with a host that keeps what it is told.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_PLUGIN_RUN_H_
#define PLUMB_PLUGINS_HTTP_LOAD_PLUGIN_RUN_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "plugins/http_load/collecting_host.h"

extern "C" const plumb_plugin* plumb_plugin_entry_v1(void);

namespace plumb::http_load {

constexpr int64_t kMs = 1'000'000;

inline nlohmann::json request(const std::string& name, const std::string& method = "GET",
                              const std::string& path = "/") {
  return {{"name", name}, {"method", method}, {"path", path}, {"weight", 1}};
}

inline nlohmann::json closed_load(const std::string& protocol, int users) {
  return {{"protocol", protocol},
          {"model", "closed"},
          {"users", users},
          {"think_ns", 0},
          {"timeout_ns", 2'000 * kMs},
          {"seed", 1},
          {"requests", nlohmann::json::array({request("home")})}};
}

// One run of the plugin against `url`, through `milliseconds` of warm-up and of steady load.
struct PluginRun {
  PluginRun(const std::string& url, const nlohmann::json& load, int64_t warmup_ms,
            int64_t steady_ms) {
    configure(url, load);
    drive(warmup_ms, steady_ms);
  }
  // For a run that is interrupted: drive() is called later.
  PluginRun(const std::string& url, const nlohmann::json& load) { configure(url, load); }
  ~PluginRun() { plugin->destroy(self); }
  PluginRun(const PluginRun&) = delete;
  PluginRun& operator=(const PluginRun&) = delete;

  void configure(const std::string& url, const nlohmann::json& load) {
    ASSERT_EQ(plugin->create(host.abi(), &self, &error), PLUMB_OK) << error.message;
    const std::string document = nlohmann::json{
        {"run", {{"id", "r"}, {"name", "t"}}},
        {"target", {{"url", url}}},
        {"load", load}}.dump();
    plumb_config config{};
    config.struct_size = sizeof(config);
    config.document = document.c_str();
    ASSERT_EQ(plugin->configure(self, &config, &error), PLUMB_OK) << error.message;
    ASSERT_EQ(plugin->start(self, &error), PLUMB_OK) << error.message;
  }
  void drive(int64_t warmup_ms, int64_t steady_ms) {
    start_ns = monotonic_ns();
    boundary_ns = start_ns + warmup_ms * kMs;
    end_ns = boundary_ns + steady_ms * kMs;
    const plumb_stage stages[] = {
        {sizeof(plumb_stage), PLUMB_STAGE_WARMUP, "warmup", start_ns, boundary_ns},
        {sizeof(plumb_stage), PLUMB_STAGE_STEADY, "steady", boundary_ns, end_ns}};
    ASSERT_EQ(plugin->drive(self, stages, 2, &error), PLUMB_OK) << error.message;
    returned_ns = monotonic_ns();
    ASSERT_EQ(plugin->stop(self, monotonic_ns() + 1'000 * kMs, &error), PLUMB_OK) << error.message;
    if (!may_log) {
      EXPECT_THAT(host.logs, testing::IsEmpty());
    }
    expect_everything_accounted_for();
  }
  // On any thread.
  void interrupt() {
    interrupted_ns = monotonic_ns();
    plugin->interrupt(self);
  }

  void expect_everything_accounted_for() const {
    EXPECT_EQ(host.last("http_scheduled_total{}"),
              host.last("http_started_total{}") + host.last("http_shed_total{}"));
    EXPECT_EQ(host.last("http_started_total{}"),
              host.total("http_requests_total{") + host.last("http_in_flight{}"));
    for (const auto& [name, list] : host.histograms)
      if (name.starts_with("http_phase_seconds{endpoint=home")) {
        EXPECT_EQ(host.count(name), host.count("http_response_seconds{endpoint=home,outcome=ok}"))
            << name;
      }
    EXPECT_EQ(host.sum("http_phase_seconds{"), ok_response_sum());
  }
  uint64_t ok_response_sum() const {
    uint64_t out = 0;
    for (const auto& [name, list] : host.histograms)
      if (name.starts_with("http_response_seconds{") && name.ends_with("outcome=ok}"))
        for (const Histogram& h : list) out += h.sum();
    return out;
  }
  double failures(const std::string& why, const std::string& status = "0") const {
    return host.last("http_requests_total{endpoint=home,status=" + status + ",error=" + why + "}");
  }

  CollectingHost host;
  bool may_log = false;
  const plumb_plugin* plugin = plumb_plugin_entry_v1();
  void* self = nullptr;
  plumb_error error{.struct_size = sizeof(plumb_error), .message = {}};
  int64_t start_ns = 0, boundary_ns = 0, end_ns = 0, returned_ns = 0;
  std::atomic<int64_t> interrupted_ns{0};
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_PLUGIN_RUN_H_
