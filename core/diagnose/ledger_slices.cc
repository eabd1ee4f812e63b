#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <set>
#include <string_view>

#include "core/diagnose/ledger.h"

namespace plumb::diagnose {
namespace {

constexpr size_t kMostSlices = 30;
constexpr size_t kFewestForInterval = 5;

// What is left beside the lines that were measured goes to a queue or stays unexplained, in each
// slice for itself: over time the two are one line.
bool is_rest(const std::string& key) { return key == "unexplained" || key.starts_with("queue."); }

double ms_in(const LedgerSlice& slice, const std::string& key) {
  double ms = 0;
  for (const auto& [other, value] : slice.ms)
    if (other == key || (is_rest(key) && is_rest(other))) ms += value;
  return ms;
}

// Half the width of the 95% interval of sum(x) / sum(n), by leaving out one slice after the other.
double half_width(const std::vector<LedgerSlice>& slices, const std::string& key) {
  const auto count = static_cast<double>(slices.size());
  double x = 0;
  double n = 0;
  for (const LedgerSlice& slice : slices) {
    x += ms_in(slice, key) * slice.requests;
    n += slice.requests;
  }
  std::vector<double> without;
  double mean = 0;
  for (const LedgerSlice& slice : slices) {
    without.push_back((x - ms_in(slice, key) * slice.requests) / (n - slice.requests));
    mean += without.back() / count;
  }
  double variance = 0;
  for (const double ratio : without) variance += (ratio - mean) * (ratio - mean);
  variance *= (count - 1) / count;
  const boost::math::students_t distribution(count - 1);
  return boost::math::quantile(distribution, 0.975) * std::sqrt(variance);
}

}  // namespace

bool feeds_ledger(const SeriesInfo& series) {
  static const std::set<std::string_view> kNames = {"http_response_seconds",
                                                    "http_service_seconds",
                                                    "http_phase_seconds",
                                                    "http_in_flight",
                                                    "http_scheduled_total",
                                                    "host_cpu_busy_ratio",
                                                    "target_cpu_seconds_total",
                                                    "target_runqueue_seconds_total",
                                                    "target_runqueue_beside_seconds_total",
                                                    "target_throttled_seconds_total",
                                                    "target_throttled_periods_total",
                                                    "target_periods_total",
                                                    "target_quota_processors",
                                                    "target_disk_waiting",
                                                    "target_block_delay_seconds_total",
                                                    "target_memory_delay_seconds_total",
                                                    "target_accept_queue",
                                                    "target_accept_queue_limit",
                                                    "host_tcp_listen_overflows_total",
                                                    "target_busiest_thread_ratio",
                                                    "target_runnable_threads",
                                                    "downstream_awaiting",
                                                    "profile_lock_wait_seconds_total",
                                                    "pg_server",
                                                    "pg_sessions",
                                                    "pg_sessions_total",
                                                    "pg_client_connections",
                                                    "pg_active_seconds_total",
                                                    "pg_backend_cpu_seconds_total",
                                                    "pg_backend_runqueue_seconds_total"};
  return !series.ledger_line.empty() || !series.resource.empty() ||
         series.name.starts_with("app_pool_") || kNames.count(series.name) != 0;
}

void add_slices(const store::RunData& run, const facts::Window& window, Ledger& ledger) {
  for (const facts::Window& part : facts::equal_parts(window, kMostSlices)) {
    facts::FactSet facts = facts::compute(run, part, feeds_ledger);
    const Ledger own = build_ledger(run, part, facts);
    if (own.requests <= 0 || own.lines.empty()) continue;
    LedgerSlice slice{part, own.requests, own.total_ms, {}};
    for (const LedgerLine& line : own.lines) slice.ms[line.key] += line.ms;
    ledger.slices.push_back(std::move(slice));
  }
  if (ledger.slices.size() < kFewestForInterval) return;
  for (LedgerLine& line : ledger.lines) {
    const double half = half_width(ledger.slices, line.key);
    if (std::isfinite(half)) line.interval = {std::max(0.0, line.ms - half), line.ms + half};
  }
}

}  // namespace plumb::diagnose
