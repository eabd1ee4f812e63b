// The daemon's HTTP API: which routes there are, who may use them, and what they answer.
// docs/api.md shows each; docs/openapi.json describes them.
#ifndef PLUMB_CORE_SERVE_API_H_
#define PLUMB_CORE_SERVE_API_H_

#include <atomic>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/serve/daemon_metrics.h"
#include "core/serve/http_server.h"
#include "core/serve/posted_plan.h"
#include "core/serve/problem.h"
#include "core/serve/run_files.h"
#include "core/serve/run_service.h"

namespace plumb::serve {

struct ApiOptions {
  std::filesystem::path run_dir = "runs";
  std::string token;  // empty: none is needed
  std::string version;
  PlanPolicy policy;
  nlohmann::json plugins = nlohmann::json::object();  // what GET /api/v1/plugins answers
};

// Safe to use from several threads.
class Api final : public HttpHandler {
 public:
  // `runs` must outlive it.
  Api(ApiOptions options, RunService& runs);

  Admission admit(const RequestHead& head) override;
  Response handle(const Request& request) override;
  Response refuse(int status, const std::string& detail) override;
  void answered(const std::string& route, int status, std::chrono::nanoseconds took) override;

  // From now on /health answers 503 and no run is started.
  void set_stopping() { stopping_ = true; }

  // Every method and path pattern that is served, HEAD beside GET left out.
  static std::vector<std::pair<std::string, std::string>> routes();

 private:
  struct Call {
    const Request& request;
    std::string id;  // what stands for {id} in the path
  };
  struct Route {
    std::string_view method;
    std::string_view pattern;
    Response (Api::*answer)(const Call&);
    bool blocking;
  };
  struct Match {
    const Route* route = nullptr;
    std::string id;
    std::vector<std::string> methods;  // that the path takes
  };
  static const std::vector<Route>& table();
  static Match match(const RequestHead& head);
  static Problem unknown_path(std::string_view path);

  // api_daemon.cc
  Response health(const Call& call);
  Response metrics(const Call& call);
  Response openapi(const Call& call);
  Response list_plugins(const Call& call);
  Response validate_plan(const Call& call);
  // api_runs.cc
  Response start_run(const Call& call);
  Response list_runs(const Call& call);
  Response get_run(const Call& call);
  Response stop_run(const Call& call);
  Response delete_run(const Call& call);
  Response run_events(const Call& call);
  // api_report.cc
  Response run_report(const Call& call);

  nlohmann::json live_json(const LiveRun& run) const;
  nlohmann::json record_json(const std::string& id, const RunRecord& record) const;
  // Its row in a list: what its file says, or why it cannot be read.
  nlohmann::json row_json(const std::string& id) const;
  bool is_live(const std::string& id) const;
  // {"verdict", "validity", "slos", "exit_code"} of a run that is over; null when no report can be
  // made of it.
  nlohmann::json judgement_of(const std::string& id);

  const ApiOptions options_;
  RunService& runs_;
  const RunFiles files_;
  DaemonMetrics metrics_;
  std::atomic<bool> stopping_ = false;

  Mutex mutex_;
  // A run that is over is judged the same way each time, and clients poll.
  std::map<std::string, nlohmann::json> judgements_ PLUMB_GUARDED_BY(mutex_);
};

// {"self", "events", "report", "stop"}
nlohmann::json run_links(const std::string& id);
// 2026-11-20T10:45:12Z
std::string utc_text(int64_t unix_ms);

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_API_H_
