// What a plan says users do, compiled once: templates, patterns, files. Shared by all workers.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_CONTENT_H_
#define PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_CONTENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <plumb/status.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plugins/http_load/answer_checks.h"
#include "plugins/http_load/captured_answer.h"
#include "plugins/http_load/cookie_jar.h"
#include "plugins/http_load/extraction.h"
#include "plugins/http_load/feeder.h"
#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/request_mix.h"
#include "plugins/http_load/template.h"

namespace plumb::http_load {

// One request of the plan.
struct EndpointContent {
  struct Extract {
    Extraction extraction;
    uint32_t slot = 0;
    bool one_line = false;  // a header takes it
  };

  const Request* request = nullptr;
  Template path;
  std::vector<Template> headers;  // values, beside the request's
  Template body;
  bool is_templated = false;
  bool has_own_cookie = false;  // then the jar's are not sent
  bool has_own_authorization = false;
  int64_t think_ns = 0;
  int64_t redirects = 0;
  std::vector<Extract> extracts;
  AnswerChecks checks;
  AnswerNeeds needs;
};

// What one iteration does, and the data that it draws.
struct IterationContent {
  struct Column {
    size_t column = 0;
    uint32_t slot = 0;
  };
  struct Draw {
    const Feeder* feeder = nullptr;
    std::vector<Column> columns;  // those that its requests name
  };

  double weight = 1;
  std::vector<uint32_t> steps;
  std::vector<Draw> draws;
};

class ScenarioContent {
 public:
  // Reads the feeders' files. `plan` outlives the content. Errors name the key and the column.
  static Result<std::unique_ptr<ScenarioContent>> compile(const LoadPlan& plan);

  const EndpointContent& endpoint(uint32_t index) const { return endpoints_[index]; }
  // A weighted choice among the scenarios and the requests that stand alone.
  const IterationContent& choose(uint64_t bits) const { return iterations_[mix_->pick(bits)]; }
  // A sentence for each feeder that was used up, once the load has ended.
  std::vector<std::string> used_up() const;
  size_t slots() const { return names_.size(); }
  // Users of the closed model have the numbers below this one.
  uint64_t closed_users() const { return closed_users_; }
  bool keeps_cookies() const { return keeps_cookies_; }
  const CookieSite& site() const { return site_; }
  const std::string& origin() const { return origin_; }

 private:
  ScenarioContent() = default;
  Status open_feeders(const ScenarioPlan& plan);
  Status name_extracts(const ScenarioPlan& plan);
  Result<EndpointContent> compile_endpoint(const LoadPlan& plan, uint32_t index);
  Status compile_templates(const std::string& key, bool json_body, EndpointContent& out);
  Status compile_answers(const RequestContent& plan, const std::string& key, EndpointContent& out);
  Status fit_headers();
  Status add_iterations(const LoadPlan& plan);
  Status add_iteration(double weight, std::vector<uint32_t> steps, const std::string& key);
  std::vector<uint32_t> slots_of(const EndpointContent& endpoint) const;
  std::optional<std::pair<const Feeder*, size_t>> column_of(uint32_t slot) const;

  std::string origin_;
  CookieSite site_;
  uint64_t closed_users_ = 0;
  bool keeps_cookies_ = false;
  TemplateNames names_;
  std::vector<std::unique_ptr<Feeder>> feeders_;
  std::vector<EndpointContent> endpoints_;
  std::vector<IterationContent> iterations_;
  std::optional<RequestMix> mix_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_CONTENT_H_
