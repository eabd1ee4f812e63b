#include "core/diagnose/what_if.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/number_text.h"
#include "core/diagnose/ledger.h"

namespace plumb::diagnose {
namespace {

using facts::Fact;
using facts::FactSet;

// A resource that is hardly used says nothing about where it would be full.
constexpr double kLeastUse = 0.05;
constexpr double kMostOfTheWork = 0.75;

struct Bound {
  std::string resource;
  double rate = 0;  // requests/s
};

class Bounds {
 public:
  Bounds(const Freed& frees, const FactSet& facts) : frees_(frees), facts_(facts) {}

  std::optional<Bound> lowest() {
    processors();
    quota();
    serial_resources();
    const auto least =
        std::min_element(bounds_.begin(), bounds_.end(),
                         [](const Bound& a, const Bound& b) { return a.rate < b.rate; });
    if (least == bounds_.end()) return std::nullopt;
    return *least;
  }

 private:
  bool is_freed(std::string_view key) const {
    return std::find(frees_.begin(), frees_.end(), key) != frees_.end();
  }

  double app_cpu() const {
    return is_freed("app_cpu") ? 0 : facts_.value_or("target_cpu_seconds_total.per_request", 0);
  }
  double database_cpu() const {
    return is_freed("database_cpu")
               ? 0
               : facts_.value_or("pg_backend_cpu_seconds_total.per_request", 0);
  }

  // All that the machine does for a request: the service and its database, and the load generator,
  // the peers and the kernel beside them. Where others do most, their work is no request's.
  double processor_seconds(double cpus) const {
    const double own = app_cpu() + database_cpu();
    const double rate = facts_.value_or("requests.rate", 0);
    const double busy = facts_.value_or("host_cpu_busy_ratio.mean", 0) * cpus;
    if (rate <= 0 || facts_.value_or("others_cpu_seconds_total.rate", 0) > kMostlyOthers * busy)
      return own;
    const double freed = facts_.value_or("target_cpu_seconds_total.per_request", 0) +
                         facts_.value_or("pg_backend_cpu_seconds_total.per_request", 0) - own;
    return std::max(own, busy / rate - freed);
  }

  void processors() {
    const auto cpus = facts_.value("host_cpus.mean");
    if (!cpus || is_freed("cpu")) return;
    const double seconds = processor_seconds(*cpus);
    if (seconds > 0) bounds_.push_back({"the processors", *cpus / seconds});
  }

  void quota() {
    const auto quota = facts_.value("target_quota_processors.mean");
    if (!quota || is_freed("quota") || is_freed("cpu")) return;
    if (app_cpu() > 0) bounds_.push_back({"the quota of its cgroup", *quota / app_cpu()});
  }

  void serial_resources() {
    const double rate = facts_.value_or("requests.rate", 0);
    for (const Fact* used : facts_.all("resource.utilisation")) {
      const std::string name = label_of(used->labels, "resource");
      if (used->value < kLeastUse || is_freed_resource(name)) continue;
      bounds_.push_back({name, rate / used->value});
    }
  }

  // Where others work too, one thread is no bound.
  bool carries_the_application() const {
    return facts_.value_or("target_busiest_thread_ratio.mean", 0) >=
           kMostOfTheWork * facts_.value_or("target_cpu_seconds_total.rate", 0);
  }

  // The serial resources that plugins declare are known by the series that measures them.
  bool is_freed_resource(const std::string& name) const {
    if (name == kPoolName) return is_freed("pool");
    if (name.starts_with(kAcceptName)) return is_freed("accept");
    if (name == kQuotaName) return is_freed("quota") || is_freed("cpu") || is_freed("app_cpu");
    if (name == kMainThreadName)
      return is_freed("main_thread") || is_freed("app_cpu") || !carries_the_application();
    return std::any_of(frees_.begin(), frees_.end(),
                       [](const std::string& key) { return !is_resource_key(key); });
  }

  const Freed& frees_;
  const FactSet& facts_;
  std::vector<Bound> bounds_;
};

// Users that come again at once find the next resource full: each waits for all others' turns
// there.
double least_latency_ms(const FactSet& facts, double total_ms, double bound) {
  const auto users = facts.value("load_users.mean");
  const double rate = facts.value_or("requests.rate", 0);
  if (!users || rate <= 0 || facts.value("load_target_rate.mean")) return 0;
  const double thinking_ms = std::max(0.0, *users / rate * 1e3 - total_ms);
  return std::clamp(*users / bound * 1e3 - thinking_ms, 0.0, total_ms);
}

double with_two_digits(double value) {
  const double unit = std::pow(10, std::floor(std::log10(value)) - 1);
  return std::round(value / unit) * unit;
}

}  // namespace

bool is_resource_key(std::string_view key) {
  constexpr std::array<std::string_view, 7> kKeys = {"cpu",  "app_cpu",     "database_cpu", "quota",
                                                     "pool", "main_thread", "accept"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

void add_what_if(Finding& finding, const Freed& frees, const Ledger& ledger, const FactSet& facts) {
  finding.latency_without_ms = std::max(0.0, ledger.total_ms - finding.after_ms - finding.cost_ms);
  // What has neither cost nor headroom tells how the run went, and not what would be without it.
  if (finding.cost_ms <= 0 && finding.headroom_lost == 0) return;
  if (finding.cost_ms <= 0) {
    finding.what_if = finding.explains_errors ? "If it were gone, these requests would be answered."
                                              : "It costs requests no time yet.";
    return;
  }
  const std::optional<Bound> bound = Bounds(frees, facts).lowest();
  const bool bounded = bound && bound->rate > 0;
  if (bounded) {
    finding.throughput_bound = bound->rate;
    finding.latency_without_ms =
        std::max(finding.latency_without_ms, least_latency_ms(facts, ledger.total_ms, bound->rate));
  }
  finding.what_if = std::string("If it were gone") + (finding.after.empty() ? "" : " too") +
                    ": about " + milliseconds_text(finding.latency_without_ms) + " ms per request";
  if (bounded)
    finding.what_if += ", bound by " + bound->resource + " at about " +
                       grouped(with_two_digits(bound->rate)) + "/s";
  finding.what_if += ".";
}

}  // namespace plumb::diagnose
