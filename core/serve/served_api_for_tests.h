// The API on a real socket, with runs that only seem to run.
#ifndef PLUMB_CORE_SERVE_SERVED_API_FOR_TESTS_H_
#define PLUMB_CORE_SERVE_SERVED_API_FOR_TESTS_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/plan/plan_for_tests.h"
#include "core/serve/api.h"
#include "core/serve/client_for_tests.h"
#include "core/serve/http_server.h"
#include "core/session/temporary_directory_for_tests.h"

namespace plumb::serve {

inline constexpr const char* kRunId = "20261120T104512Z-7f3a";
inline constexpr const char* kOtherRunId = "20261121T080000Z-00ff";

// A plan that a daemon with no special permission runs.
inline constexpr const char* kPlan =
    "name: shop\n"
    "target:\n"
    "  url: http://127.0.0.1:8080\n"
    "load:\n"
    "  rate: 50/s\n";

class FakeRuns final : public RunService {
 public:
  Result<std::string> start(plan::Plan plan) override {
    MutexLock lock(mutex_);
    if (live_) return Status::resource_exhausted("busy");
    live_ = LiveRun{kRunId, plan.name, 1'795'171'512'000, false, {{"requests", 0}}};
    log_ = std::make_shared<EventLog>(capacity_);
    started_.push_back(std::move(plan));
    return std::string(kRunId);
  }
  std::optional<LiveRun> live() const override {
    MutexLock lock(mutex_);
    return live_;
  }
  Status stop(const std::string& id) override {
    MutexLock lock(mutex_);
    if (!live_ || live_->id != id) return Status::not_found("no such run");
    live_->stopping = true;
    return Status::ok();
  }
  std::optional<EndedRun> ended(const std::string& id) const override {
    MutexLock lock(mutex_);
    const auto at = ended_.find(id);
    if (at == ended_.end()) return std::nullopt;
    return at->second;
  }
  std::shared_ptr<EventLog> events(const std::string& id) const override {
    MutexLock lock(mutex_);
    return id == kRunId ? log_ : nullptr;
  }
  std::map<store::RunState, uint64_t> totals() const override {
    MutexLock lock(mutex_);
    std::map<store::RunState, uint64_t> out;
    for (const auto& [id, run] : ended_) ++out[run.state];
    return out;
  }
  bool shut_down(std::chrono::steady_clock::time_point) override { return true; }

  // A run begins without anybody having posted it, with room for `capacity` events.
  std::shared_ptr<EventLog> begin(size_t capacity = 1024) {
    capacity_ = capacity;
    (void)start(plan::Plan());
    return events(kRunId);
  }
  void set_numbers(nlohmann::json numbers) {
    MutexLock lock(mutex_);
    if (live_) live_->numbers = std::move(numbers);
  }
  void end(EndedRun how) {
    MutexLock lock(mutex_);
    live_.reset();
    ended_[kRunId] = std::move(how);
    if (log_) log_->append("done", "{}");
    if (log_) log_->end();
  }
  std::vector<plan::Plan> started() const {
    MutexLock lock(mutex_);
    return started_;
  }

 private:
  size_t capacity_ = 1024;
  mutable Mutex mutex_;
  std::optional<LiveRun> live_ PLUMB_GUARDED_BY(mutex_);
  std::shared_ptr<EventLog> log_ PLUMB_GUARDED_BY(mutex_);
  std::map<std::string, EndedRun> ended_ PLUMB_GUARDED_BY(mutex_);
  std::vector<plan::Plan> started_ PLUMB_GUARDED_BY(mutex_);
};

inline void make_run_file(const std::filesystem::path& directory, const std::string& id,
                          store::RunState state = store::RunState::kFinished) {
  store::RunHeader header;
  header.id = id;
  header.name = "shop";
  header.started_unix_ms = 1'795'171'512'000;
  header.started_ns = 1'000'000'000;
  header.plan = {{"name", "shop"}};
  header.environment = nlohmann::json::object();
  auto writer = store::RunWriter::create(directory / (id + ".plumb"), header);
  if (!writer.is_ok()) std::abort();
  (*writer)->on_stage({PLUMB_STAGE_STEADY, "steady", 1'000'000'000, 11'000'000'000});
  if (!(*writer)->finish(state).is_ok()) std::abort();
}

class ServedApi {
 public:
  explicit ServedApi(const HttpLimits& limits = {}, ApiOptions options = {})
      : api_(complete(std::move(options)), runs),
        server_(std::move(HttpServer::listen({"127.0.0.1", 0}, limits, api_)).value()),
        port(server_->port()),
        thread_([this] { server_->run(); }) {}
  ~ServedApi() { stop(); }

  void stop() {
    server_->stop(std::chrono::seconds(10));
    if (thread_.joinable()) thread_.join();
  }

  Reply get(std::string_view target, std::string_view headers = {}) const {
    return ask(port, "GET", target, headers);
  }
  Reply post(std::string_view target, std::string_view type, std::string_view body) const {
    const std::string header = "Content-Type: " + std::string(type) + "\r\n";
    return ask(port, "POST", target, type.empty() ? "" : header, body);
  }
  const std::filesystem::path& run_dir() const { return directory_.path(); }
  HttpServer& server() { return *server_; }

 private:
  ApiOptions complete(ApiOptions options) const {
    options.run_dir = directory_.path();
    options.version = "0.0.0";
    options.policy.plugins = plan::installed_plugins();
    options.plugins = {{"plugins", nlohmann::json::array()}};
    return options;
  }

  const TemporaryDirectory directory_;

 public:
  FakeRuns runs;

 private:
  Api api_;
  std::unique_ptr<HttpServer> server_;

 public:
  const uint16_t port;

 private:
  std::thread thread_;
};

inline nlohmann::json json_of(const Reply& reply) {
  return nlohmann::json::parse(reply.body, nullptr, false);
}

inline std::string run_path(const char* rest = "") {
  return std::string("/api/v1/runs/") + kRunId + rest;
}

// That the reply is a problem of that kind, with all its members.
inline void expect_problem(const Reply& reply, int status, const std::string& kind) {
  EXPECT_EQ(reply.status, status) << reply.body;
  EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
  const nlohmann::json problem = json_of(reply);
  EXPECT_EQ(problem["type"], "urn:plumb:problem:" + kind);
  EXPECT_EQ(problem["status"], status);
  EXPECT_FALSE(problem["title"].get<std::string>().empty());
  EXPECT_FALSE(problem["detail"].get<std::string>().empty());
}

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_SERVED_API_FOR_TESTS_H_
