// What the tests of plans share: two plugins, and a plan that is right.
#ifndef PLUMB_CORE_PLAN_PLAN_FOR_TESTS_H_
#define PLUMB_CORE_PLAN_PLAN_FOR_TESTS_H_

#include <string>
#include <vector>

#include "core/plan/load_plan.h"

namespace plumb::plan {

inline std::vector<PluginOptions> installed_plugins() {
  return {
      {.name = "http_load",
       .role = PLUMB_ROLE_LOAD,
       .options =
           {{.key = "threads", .type = OptionType::kInteger, .minimum = "1", .maximum = "64"}}},
      {.name = "host_metrics", .role = PLUMB_ROLE_SAMPLER},
      {.name = "pg_stats",
       .role = PLUMB_ROLE_SAMPLER,
       .options =
           {{.key = "dsn", .required = true, .secret = true, .help = "How to reach the database."},
            {.key = "statement_limit", .type = OptionType::kInteger, .default_value = "15"},
            {.key = "window", .type = OptionType::kDuration, .default_value = "2s"},
            {.key = "buffer", .type = OptionType::kSize, .maximum = "1MiB"}}},
  };
}

inline Inputs inputs_for_tests() { return {.plugins = installed_plugins()}; }

// The plan of the design.
inline constexpr const char* kShopPlan = R"(name: shop
target:
  url: http://127.0.0.1:8080
  process: {port: 8080}
  start: [bin/shop, --port, "8080"]
  health: /health
load:
  model: open
  rate: 200/s
  warmup: 5s
  duration: 30s
  requests:
    - {name: orders, method: GET, path: /orders, weight: 3}
    - {name: checkout, method: POST, path: /checkout, json: {item: 7}}
plugins:
  host_metrics: {}
  pg_stats: {dsn: "${DATABASE_URL}"}
slos:
  - {endpoint: orders, p95: 50ms, error_rate: 0.1%}
)";

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_PLAN_FOR_TESTS_H_
