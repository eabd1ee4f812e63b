#include "core/facts/derived.h"

#include <plumb/abi/plugin.h>

namespace plumb::facts {
namespace {

constexpr std::string_view kPhases = "lag queue dns connect tls send wait transfer";
constexpr std::string_view kSpread = "mean p50 p90 p95 p99 p999 max";

constexpr DerivedFact kDerived[] = {
    {"window.seconds", "seconds", "", ""},
    {"requests.count", "requests", "endpoint?", ""},
    {"requests.rate", "requests/s", "endpoint?", ""},
    {"requests.failed", "requests", "endpoint?", ""},
    {"requests.error_rate", "ratio", "endpoint?", ""},
    {"requests.scheduled", "requests", "", ""},
    {"requests.started", "requests", "", ""},
    {"requests.shed", "requests", "", ""},
    {"requests.concurrency", "requests", "", ""},
    {"requests.served_concurrency", "requests", "", ""},
    {"requests.offered_rate", "requests/s", "", ""},
    {"requests.stuck", "requests", "", ""},
    {"requests.status", "requests", "status", ""},
    {"requests.error", "requests", "error", ""},
    {"latency.<statistic>", "seconds", "endpoint?", kSpread},
    {"service.<statistic>", "seconds", "", kSpread},
    {"phase.<phase>", "seconds", "endpoint?", kPhases},
    {"lag.<statistic>", "seconds", "", kSpread},
    {"queue.<statistic>", "seconds", "", kSpread},
    {"transfer.<statistic>", "seconds", "", kSpread},
    {"spike.base_p95", "seconds", "stage", ""},
    {"spike.p95", "seconds", "stage", ""},
    {"spike.recovered", "1", "stage", ""},
    {"spike.recovery", "seconds", "stage", ""},
    {"spike.unrecovered", "seconds", "stage", ""},
    {"spike.later_p95", "seconds", "stage", ""},
    {"spike.later_error_rate", "ratio", "stage", ""},
    {"change.first", kOwnUnit, "measure", ""},
    {"change.last", kOwnUnit, "measure", ""},
    {"change.at", "seconds", "measure change?", ""},
    {"change.before", kOwnUnit, "measure change?", ""},
    {"change.after", kOwnUnit, "measure change?", ""},
    {"ledger.total", "seconds", "", ""},
    {"ledger.unexplained", "seconds", "", ""},
    {"ledger.overlap", "seconds", "", ""},
    {"ledger.layer.<layer>", "seconds", "", "client network app database downstream host queue"},
    {"ledger.client.<phase>", "seconds", "", kPhases},
    {"ledger.app.<line>", "seconds", "",
     "cpu throttled stolen runqueue disk memory accept lock in_transaction"},
    {"ledger.database.<line>", "seconds", "",
     "cpu stolen runqueue lock lwlock commit io sleep ipc other unseen session_start"},
    {"ledger.queue.<resource>", "seconds", "", "pool peer_pool main_thread quota accept"},
    {"ledger.downstream", "seconds", "peer", ""},
    {"resource.utilisation", "ratio", "resource", ""},
    {"resource.servers", "1", "resource", ""},
    {"validity.delivered", "ratio", "", ""},
    {"validity.latency_tau", "1", "", ""},
    {"validity.early_latency", "ratio", "", ""},
    {"validity.steal", "ratio", "", ""},
    {"validity.others", "ratio", "", ""},
    {"validity.longest_silence", "seconds", "plugin", ""},
    {"slo.met", "1", "", ""},
    {"capacity.peak_rate", "requests/s", "", ""},
    {"capacity.lambda", "requests/s", "", ""},
    {"capacity.sigma", "1", "", ""},
    {"capacity.kappa", "1", "", ""},
    {"capacity.peak_in_flight", "requests", "", ""},
    {"capacity.full_at", "requests/s", "resource", ""},
};

constexpr Statistic kCounter[] = {
    {"delta", kOwnUnit}, {"rate", kPerSecond}, {"per_request", kOwnUnit}};
constexpr Statistic kGauge[] = {
    {"mean", kOwnUnit}, {"min", kOwnUnit},     {"max", kOwnUnit},          {"p95", kOwnUnit},
    {"last", kOwnUnit}, {"slope", kPerSecond}, {"late_slope", kPerSecond}, {"tau", "1"}};
constexpr Statistic kHistogram[] = {{"count", "1"},     {"mean", kOwnUnit}, {"p50", kOwnUnit},
                                    {"p90", kOwnUnit},  {"p95", kOwnUnit},  {"p99", kOwnUnit},
                                    {"p999", kOwnUnit}, {"max", kOwnUnit}};

}  // namespace

std::span<const DerivedFact> derived_facts() { return kDerived; }

std::span<const Statistic> statistics_of(uint32_t kind) {
  if (kind == PLUMB_KIND_COUNTER) return kCounter;
  if (kind == PLUMB_KIND_GAUGE) return kGauge;
  return kHistogram;
}

}  // namespace plumb::facts
