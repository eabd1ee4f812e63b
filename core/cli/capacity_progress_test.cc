#include "core/cli/capacity_progress.h"

#include <gtest/gtest.h>

namespace plumb::cli {
namespace {

TEST(CapacityProgress, AProbeThatBeginsSaysItsRateItsTimeAndWhatIsKnown) {
  capacity::ProbeRequest request;
  request.rate = 824;
  request.warmup_s = 0.5;
  request.measure_s = 2;
  EXPECT_EQ(probe_begins(4, request, 412, 1'648),
            "probe 4  824/s for 2.50 s  between 412 and 1,648/s");
  EXPECT_EQ(probe_begins(1, request, 0, 0), "probe 1  824/s for 2.50 s");
}

TEST(CapacityProgress, AProbeThatEndedSaysWhatItCameTo) {
  capacity::Probe probe;
  probe.rate = 824;
  probe.verdict = capacity::ProbeVerdict::kMissed;
  probe.clause = "p95 of orders";
  probe.p99_s = 0.0612;
  EXPECT_EQ(probe_ended(5, probe, 412, 824),
            "probe 5  824/s  missed: p95 of orders  p99 61.2 ms  errors 0%  between 412 and 824/s");
  probe.verdict = capacity::ProbeVerdict::kKept;
  probe.p99_s.reset();
  EXPECT_EQ(probe_ended(5, probe, 824, 0),
            "probe 5  824/s  kept  p99 – ms  errors 0%  at least 824/s");
}

}  // namespace
}  // namespace plumb::cli
