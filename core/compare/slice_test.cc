#include "core/compare/slice.h"

#include <gtest/gtest.h>

#include "core/diagnose/ledger.h"
#include "core/facts/facts.h"
#include "core/facts/run_builder.h"
#include "core/facts/statistics.h"

namespace plumb::compare {
namespace {

using plumb::testing::RunBuilder;

constexpr int64_t kSecond = RunBuilder::kSecond;

TEST(Slice, HasTheFactsOfItsStretch) {
  RunBuilder builder;
  builder.requests(0.05, 100).counter("target_cpu_seconds_total", 0.2).gauge("host_cpus", 2);
  const facts::FactSet facts = facts::compute(builder.data(), {4 * kSecond, 7 * kSecond});
  EXPECT_EQ(facts.value("requests.count"), 300);
  EXPECT_NEAR(facts.value_or("target_cpu_seconds_total.delta", 0), 0.6, 1e-9);
  EXPECT_EQ(facts.value("host_cpus.mean"), 2);
}

TEST(Slice, CountersAreInterpolatedFromSamplesOutsideOfIt) {
  RunBuilder builder;
  builder.requests(0.05, 100);
  builder.counter("pg_statement_calls_total", 300);
  store::SeriesData& series = builder.data().series.back();
  // Two samples, at both ends of the stage.
  series.times_ns = {2 * kSecond, 12 * kSecond};
  series.values = {0, 3000};
  const facts::FactSet facts = facts::compute(builder.data(), {4 * kSecond, 7 * kSecond});
  EXPECT_NEAR(facts.value_or("pg_statement_calls_total.per_request", 0), 3, 1e-9);
}

TEST(Slice, EachRequestIsInOneSliceOnly) {
  RunBuilder builder;
  builder.requests(0.05, 100);
  const facts::Window window = *facts::steady_window(builder.data());
  double requests = 0;
  const auto parts = split(window, 3);
  for (const facts::Window& part : parts)
    requests += facts::compute(builder.data(), part).value_or("requests.count", 0);
  EXPECT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts.back().end_ns, window.end_ns);
  EXPECT_EQ(requests, 1000);
}

TEST(Slice, ALedgerOfTheSlicesIsTheLedgerOfTheWholeWhereNothingChanges) {
  RunBuilder builder;
  builder.requests(0.05, 100).counter("target_cpu_seconds_total", 0.2);
  facts::FactSet facts = facts::compute(builder.data(), {4 * kSecond, 9 * kSecond});
  const diagnose::Ledger ledger =
      diagnose::build_ledger(builder.data(), {4 * kSecond, 9 * kSecond}, facts);
  EXPECT_NEAR(ledger.ms_of("app.cpu"), 2, 1e-6);
}

TEST(Slice, CellsHoldWhatTheClientSawEndpointByEndpoint) {
  RunBuilder builder;
  builder.requests(0.05, 100, "orders").requests(0.01, 20, "list");
  builder.histogram("http_response_seconds", 0.5, 2, {{"endpoint", "list"}, {"outcome", "failed"}});
  const facts::Window window = *facts::steady_window(builder.data());
  const Cells all = response_cells(builder.data(), window, "");
  const Cells list = response_cells(builder.data(), window, "list");
  ASSERT_EQ(all.cells.size(), 10u);
  EXPECT_EQ(all.cell_s, 1);
  EXPECT_EQ(all.cells[3].ok.count(), 120u);
  EXPECT_EQ(all.cells[3].failed, 2u);
  EXPECT_EQ(list.cells[9].ok.count(), 20u);
  EXPECT_TRUE(response_cells(store::RunData{}, window, "").cells.empty());
}

}  // namespace
}  // namespace plumb::compare
