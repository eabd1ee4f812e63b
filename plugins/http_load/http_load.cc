// The plugin: holds the parts together and speaks to the host.
#include <memory>
#include <mutex>
#include <optional>
#include <plumb/plugin.hpp>
#include <thread>
#include <vector>

#include "plugins/http_load/abort_watch.h"
#include "plugins/http_load/authorization.h"
#include "plugins/http_load/authorized_workload.h"
#include "plugins/http_load/curl_transport.h"
#include "plugins/http_load/descriptor_limit.h"
#include "plugins/http_load/driver.h"
#include "plugins/http_load/emitter.h"
#include "plugins/http_load/http1_transport.h"
#include "plugins/http_load/http2_transport.h"
#include "plugins/http_load/interval_merger.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/load_schedule.h"
#include "plugins/http_load/mcp_discovery.h"
#include "plugins/http_load/mcp_workload.h"
#include "plugins/http_load/plain_workload.h"
#include "plugins/http_load/request_log.h"
#include "plugins/http_load/rpc_workload.h"
#include "plugins/http_load/scenario_content.h"
#include "plugins/http_load/scenario_workload.h"

namespace plumb::http_load {
namespace {

constexpr uint64_t kSeedStep = 0xd1342543de82ef95u;

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
    if (plan_.scenario.needed && !plan_.speaks_rpc()) {
      PLUMB_ASSIGN_OR_RETURN(scenario_, ScenarioContent::compile(plan_));
    }
    PLUMB_RETURN_IF_ERROR(check_local_ports(local_port_range(), plan_.connections));
    return reserve_descriptors(plan_.connections);
  }

  Status start() override {
    if (plan_.scenario.auth.is_dynamic()) {
      PLUMB_ASSIGN_OR_RETURN(authorization_, open_authorization(plan_.scenario.auth));
    }
    // The endpoints are known once the server has been asked.
    if (plan_.protocol == Protocol::kMcp) PLUMB_RETURN_IF_ERROR(discover());
    if (!plan_.log.empty()) {
      PLUMB_ASSIGN_OR_RETURN(log_, RequestLog::open(plan_.log, plan_.requests));
    }
    for (int64_t i = 0; i < plan_.workers; ++i) {
      Worker& worker = workers_.emplace_back();
      worker.plan = std::make_unique<LoadPlan>(plan_);
      worker.plan->connections = (plan_.connections + plan_.workers - 1) / plan_.workers;
      // Trace ids follow from it, and no two requests have the same.
      worker.plan->seed += static_cast<uint64_t>(i) * kSeedStep;
      PLUMB_RETURN_IF_ERROR(open_transport(worker));
      worker.workload = make_workload(static_cast<uint32_t>(i));
    }
    return Status::ok();
  }

  Status drive(std::span<const Stage> stages) override {
    schedule_.emplace(plan_, stages);
    if (schedule_->end_ns() == 0)
      return Status::invalid_argument("no stage to drive the load through");
    emitter_.emplace(host(), plan_, *schedule_);
    if (plan_.protocol == Protocol::kMcp) emitter_->measure_tools(stages);
    PLUMB_RETURN_IF_ERROR(emitter_->begin());
    if (log_ != nullptr) log_->begin(schedule_->start_ns());
    AbortWatch watch(plan_.abort, schedule_->start_ns(), *emitter_,
                     [this](const std::string& sentence) { abort(sentence); });
    if (workers_.size() == 1)
      work(0, stages, watch);
    else
      work_together(stages, watch);
    if (log_ != nullptr) end_log();
    return Status::ok();
  }

  Status stop(int64_t) override {
    if (emitter_) {
      emitter_->flush_errors();
      emitter_->emit_summary();
    }
    if (scenario_)
      for (const std::string& sentence : scenario_->used_up()) host().log(PLUMB_WARNING, sentence);
    workers_.clear();
    return Status::ok();
  }

  void interrupt() override { stop_.request(); }

 private:
  struct Worker {
    std::unique_ptr<LoadPlan> plan;  // its share, as its transport needs it
    std::unique_ptr<Transport> transport;
    std::unique_ptr<Workload> workload;
  };

  Status discover() {
    const std::string planned = plan_.authorization;
    if (authorization_ != nullptr) {
      Credential credential;
      authorization_->renew(0, system_wall_ms(), credential);
      plan_.authorization = *credential.value;
    }
    const Status discovered = discover_mcp(plan_, clock_, stop_);
    plan_.authorization = planned;
    return discovered;
  }

  std::unique_ptr<Workload> make_workload(uint32_t worker) const {
    if (plan_.protocol == Protocol::kJsonRpc)
      return authorized(std::make_unique<RpcWorkload>(plan_, worker), worker);
    if (plan_.protocol == Protocol::kMcp)
      return authorized(std::make_unique<McpWorkload>(plan_, worker), worker);
    if (scenario_ == nullptr) return std::make_unique<PlainWorkload>(plan_);
    return std::make_unique<ScenarioWorkload>(
        *scenario_, authorization_.get(),
        WorkerPlace{worker, static_cast<uint32_t>(plan_.workers)});
  }

  std::unique_ptr<Workload> authorized(std::unique_ptr<Workload> inner, uint32_t worker) const {
    if (authorization_ == nullptr) return inner;
    return std::make_unique<AuthorizedWorkload>(std::move(inner), plan_, *authorization_,
                                                Share{worker, static_cast<uint32_t>(plan_.workers)},
                                                system_wall_ms);
  }

  Status open_transport(Worker& worker) {
    std::unique_ptr<Transport>& out = worker.transport;
    switch (plan_.protocol) {
      case Protocol::kHttp1:
      case Protocol::kJsonRpc:
      case Protocol::kMcp: {
        PLUMB_ASSIGN_OR_RETURN(out, Http1Transport::open(*worker.plan, clock_, stop_));
        break;
      }
      case Protocol::kHttp2: {
        PLUMB_ASSIGN_OR_RETURN(out, Http2Transport::open(*worker.plan, clock_, stop_));
        break;
      }
      case Protocol::kCurl: {
        PLUMB_ASSIGN_OR_RETURN(out, CurlTransport::open(*worker.plan, clock_, stop_));
        break;
      }
    }
    return Status::ok();
  }

  void work(size_t index, std::span<const Stage> stages, IntervalSink& sink) {
    Recorder recorder(plan_.requests, Intervals(stages), schedule_->start_ns(), sink);
    Worker& worker = workers_[index];
    std::optional<RequestLog::Writer> log;
    if (log_ != nullptr) log.emplace(*log_);
    Driver driver({plan_, *schedule_, clock_, *worker.transport, *worker.workload, recorder,
                   log ? &*log : nullptr},
                  {static_cast<uint32_t>(index), static_cast<uint32_t>(workers_.size())},
                  [this] { return stop_.requested(); });
    driver.run();
  }

  // One thread each; this one puts their intervals together.
  void work_together(std::span<const Stage> stages, IntervalSink& sink) {
    IntervalMerger merger(workers_.size(), plan_.requests.size(), schedule_->start_ns());
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < workers_.size(); ++i)
      threads.emplace_back([this, i, stages, &merger] {
        work(i, stages, merger.sink(i));
        merger.finished(i);
      });
    merger.run(sink);
  }

  void end_log() {
    const Status closed = log_->close();
    if (!closed.is_ok())
      (void)host().event(PLUMB_WARNING, "request-log-incomplete", closed.message());
    else if (log_->dropped() > 0)
      (void)host().event(PLUMB_WARNING, "request-log-incomplete",
                         std::to_string(log_->dropped()) + " requests are missing in " + plan_.log +
                             ": the disk did not keep up");
  }

  void abort(const std::string& sentence) {
    (void)host().event(PLUMB_WARNING, "load-aborted", sentence);
    stop_.request();
  }

  HostClock clock_{host()};
  StopFlag stop_;
  LoadPlan plan_;
  std::unique_ptr<ScenarioContent> scenario_;     // null: requests are as they stand in the plan
  std::unique_ptr<Authorization> authorization_;  // null: credentials stay the same
  std::optional<LoadSchedule> schedule_;
  std::vector<Worker> workers_;
  std::unique_ptr<RequestLog> log_;
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
