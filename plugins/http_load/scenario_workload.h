// Users that go through scenarios: sequences of requests made from templates, with what earlier
// answers and files gave, a cookie jar each, and credentials that change.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_WORKLOAD_H_
#define PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_WORKLOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plugins/http_load/authorization.h"
#include "plugins/http_load/scenario_content.h"
#include "plugins/http_load/workload.h"

namespace plumb::http_load {

// Which of several workers. Users of the closed model have numbers of their own among all workers;
// visitors of the open model come after them, and get such numbers from this.
struct WorkerPlace {
  uint32_t index = 0;
  uint32_t count = 1;
};

class ScenarioWorkload final : public Workload {
 public:
  // `content` and `authorization` outlive the workload and are shared with other workers';
  // `authorization` is null for plans whose credentials stay the same.
  ScenarioWorkload(const ScenarioContent& content, const Authorization* authorization,
                   WorkerPlace place = {}, WallClock wall_ms = system_wall_ms);
  ~ScenarioWorkload() override;

  // A step without an endpoint when a feeder of order `once` is used up.
  Step begin(uint32_t user, bool fresh, uint64_t draw) override;
  Next completed(Completion& completion) override;
  Step next(uint32_t user) override;

 private:
  struct User;

  User& user_at(uint32_t index);
  uint64_t number_of(uint32_t index) const;
  bool draw_data(User& user) const;
  Step prepare(User& user);
  bool needs_message(const User& user, const EndpointContent& endpoint) const;
  void render(User& user, const EndpointContent& endpoint) const;
  void add_state(User& user, const EndpointContent& endpoint) const;
  void keep_cookies(User& user) const;
  // Whether the answer leads on; then the user's message is the one to send.
  bool follow(User& user, const EndpointContent& endpoint, Completion& completion);
  void judge(User& user, const EndpointContent& endpoint, Completion& completion);
  void fail(Completion& completion, ErrorClass error, std::string detail);

  const ScenarioContent& content_;
  const Authorization* const authorization_;
  const WorkerPlace place_;
  const WallClock wall_ms_;
  std::vector<std::unique_ptr<User>> users_;
  std::string detail_;  // of the last failure
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_SCENARIO_WORKLOAD_H_
