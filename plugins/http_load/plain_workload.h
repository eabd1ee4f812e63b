// The workload of a plan whose requests are as they stand there: one for each iteration, by weight.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_PLAIN_WORKLOAD_H_
#define PLUMB_PLUGINS_HTTP_LOAD_PLAIN_WORKLOAD_H_

#include "plugins/http_load/load_plan.h"
#include "plugins/http_load/request_mix.h"
#include "plugins/http_load/workload.h"

namespace plumb::http_load {

class PlainWorkload final : public Workload {
 public:
  explicit PlainWorkload(const LoadPlan& plan) : mix_(weights_of(plan)) {}
  Step begin(uint32_t, bool, uint64_t draw) override { return {.endpoint = mix_.pick(draw)}; }
  Next completed(Completion&) override { return {}; }
  Step next(uint32_t) override { return {}; }

 private:
  static std::vector<double> weights_of(const LoadPlan& plan) {
    std::vector<double> out;
    for (const Request& request : plan.requests) out.push_back(request.weight);
    return out;
  }

  RequestMix mix_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_PLAIN_WORKLOAD_H_
