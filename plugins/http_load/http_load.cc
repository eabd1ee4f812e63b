// The plugin: holds the parts together and speaks to the host.
#include <memory>
#include <optional>
#include <plumb/plugin.hpp>

#include "plugins/http_load/curl_transport.h"
#include "plugins/http_load/descriptor_limit.h"
#include "plugins/http_load/driver.h"
#include "plugins/http_load/emitter.h"
#include "plugins/http_load/http1_transport.h"
#include "plugins/http_load/http2_transport.h"
#include "plugins/http_load/load_plan.h"

namespace plumb::http_load {
namespace {

class HostClock final : public Clock {
 public:
  explicit HostClock(const Host& host) : host_(host) {}
  int64_t now_ns() const override { return host_.now_ns(); }

 private:
  const Host& host_;
};

class HttpLoad final : public LoadDriver {
 public:
  using LoadDriver::LoadDriver;

  Status configure(const Config& config) override {
    PLUMB_ASSIGN_OR_RETURN(plan_,
                           parse_load_plan(config.document(), config.integer("connections")));
    return reserve_descriptors(plan_.connections);
  }

  Status start() override {
    switch (plan_.protocol) {
      case Protocol::kHttp1: {
        PLUMB_ASSIGN_OR_RETURN(transport_, Http1Transport::open(plan_, clock_, stop_));
        break;
      }
      case Protocol::kHttp2: {
        PLUMB_ASSIGN_OR_RETURN(transport_, Http2Transport::open(plan_, clock_, stop_));
        break;
      }
      case Protocol::kCurl: {
        PLUMB_ASSIGN_OR_RETURN(transport_, CurlTransport::open(plan_, clock_, stop_));
        break;
      }
    }
    return Status::ok();
  }

  Status drive(std::span<const Stage> stages) override {
    if (stages.empty()) return Status::invalid_argument("no stage to drive the load through");
    const int64_t start_ns = stages.front().start_ns;
    emitter_.emplace(host(), plan_);
    PLUMB_RETURN_IF_ERROR(emitter_->begin(start_ns));
    Recorder recorder(plan_.requests, Intervals(stages), start_ns, *emitter_);
    Driver driver(plan_, clock_, *transport_, recorder, [this] { return stop_.requested(); });
    driver.run(start_ns, stages.back().end_ns);
    return Status::ok();
  }

  Status stop(int64_t) override {
    if (emitter_) {
      emitter_->flush_errors();
      emitter_->emit_schedule();
    }
    transport_.reset();
    return Status::ok();
  }

  void interrupt() override { stop_.request(); }

 private:
  HostClock clock_{host()};
  StopFlag stop_;
  LoadPlan plan_;
  std::unique_ptr<Transport> transport_;
  std::optional<Emitter> emitter_;
};

constexpr plumb_option kOptions[] = {
    option({.type = PLUMB_OPTION_INTEGER,
            .key = "connections",
            .default_value = "0",
            .minimum = "0",
            .maximum = "100000",
            .help = "The most connections at one time, where load.connections is not given; 0 is "
                    "512 in the open model and one per user in the closed model, over HTTP/2 as "
                    "many as carry that many requests."}),
};
constexpr const char* kNeeds[] = {"network", nullptr};

}  // namespace
}  // namespace plumb::http_load

PLUMB_PLUGIN(plumb::http_load::HttpLoad,
             {.name = "http_load",
              .version = "0.1.0",
              .summary = "Sends HTTP requests and times each phase of them",
              .options = plumb::http_load::kOptions,
              .option_count = 1,
              .needs = plumb::http_load::kNeeds})
