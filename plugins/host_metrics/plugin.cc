#include "plugins/host_metrics/host_metrics.h"

namespace {

constexpr const char* kNeeds[] = {"proc", nullptr};

}  // namespace

PLUMB_PLUGIN(plumb::host_metrics::HostMetrics,
             {.name = "host_metrics",
              .version = "0.1.0",
              .summary = "The machine, the target's processes and what they wait for downstream",
              .default_interval_ns = 100'000'000,
              .needs = kNeeds})
