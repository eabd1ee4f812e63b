#include "core/compare/simulated_run_for_tests.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "core/facts/random.h"

namespace plumb::testing {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kWarmup = 2;
constexpr double kSlowWay = 4;
constexpr double kSlowSpread = 0.25;
constexpr double kDisturbed = 0.02;     // chance of a disturbance to begin in a second
constexpr double kDisturbedEnds = 0.4;  // and to end
constexpr double kDisturbance = 1.25;

class Service {
 public:
  Service(const SimulatedService& service, uint64_t seed)
      : service_(service), random_(facts::seed_for(seed, service.endpoint)) {
    // The first numbers of neighbouring seeds are alike in nothing but their place.
    run_factor_ = std::exp(service.between_runs * normal());
  }

  store::RunData run(uint64_t seed) {
    header(seed);
    store::SeriesData ok = histogram("http_response_seconds", "ok");
    store::SeriesData failed = histogram("http_response_seconds", "failed");
    const int64_t seconds = kWarmup + service_.seconds;
    for (int64_t t = 0; t < seconds; ++t) {
      HistogramRecord good{0, t * kSecond, (t + 1) * kSecond, Histogram()};
      HistogramRecord bad = good;
      one_second(good.histogram, bad.histogram);
      good.series = ok.info.id;
      bad.series = failed.info.id;
      ok.histograms.push_back(std::move(good));
      if (bad.histogram.count() != 0) failed.histograms.push_back(std::move(bad));
    }
    run_.series.push_back(std::move(ok));
    run_.series.push_back(std::move(failed));
    counter("http_scheduled_total", "requests", service_.rate, {});
    counter("http_started_total", "requests", service_.rate, {});
    counter("generator_cpu_seconds_total", "seconds", 0.05, {});
    gauge("http_in_flight", service_.rate * service_.typical_s * 1.1, {});
    if (service_.database_s > 0)
      gauge("pg_sessions", service_.rate * service_.database_s, {{"class", "commit"}});
    if (service_.calls > 0) {
      const Labels query = {{"query", "7c1f"}, {"statement", "select * from item where id = $1"}};
      counter("pg_statement_calls_total", "calls", service_.rate * service_.calls, query);
      counter("pg_statement_seconds_total", "seconds", service_.rate * service_.calls * 0.0002,
              query);
    }
    return std::move(run_);
  }

 private:
  double normal() {
    const double r = std::sqrt(-2 * std::log(1 - random_.unit()));
    return r * std::cos(2 * std::numbers::pi * random_.unit());
  }

  int poisson(double mean) {
    // Large means are as good as normal.
    return std::max(0, static_cast<int>(std::lround(mean + std::sqrt(mean) * normal())));
  }

  void one_second(Histogram& good, Histogram& bad) {
    const double fresh = std::sqrt(1 - service_.memory * service_.memory);
    drift_ = service_.memory * drift_ + fresh * normal();
    disturbed_ = disturbed_ ? random_.unit() > kDisturbedEnds : random_.unit() < kDisturbed;
    const double level = run_factor_ * std::exp(service_.drift * drift_) *
                         (disturbed_ ? kDisturbance : 1) * service_.typical_s * service_.slower;
    const int requests = poisson(service_.rate);
    for (int i = 0; i < requests; ++i) {
      const bool slow = random_.unit() < service_.slow_share;
      const double spread = slow ? kSlowSpread : service_.spread;
      const double seconds =
          level * (slow ? kSlowWay * service_.slow_slower : 1) * std::exp(spread * normal()) +
          service_.database_s;
      const bool fails = service_.failed_share > 0 && random_.unit() < service_.failed_share;
      (fails ? bad : good).record(static_cast<uint64_t>(seconds * 1e9));
    }
  }

  void header(uint64_t seed) {
    store::RunHeader& header = run_.header;
    char id[40];
    std::snprintf(id, sizeof id, "20261120T104512Z-%04x", static_cast<unsigned>(seed & 0xffffU));
    header.id = id;
    header.name = "shop";
    header.started_unix_ms = 1795171512345 + static_cast<int64_t>(seed) * 60000;
    header.plan = {{"name", "shop"},
                   {"target", {{"url", "http://127.0.0.1:8080"}}},
                   {"load", {{"model", "open"}, {"rate", "200/s"}}}};
    header.environment = {{"kernel", "Linux 6.1.0"}, {"processors", 2}, {"plumb", "0.1.0"}};
    const int64_t end = (kWarmup + service_.seconds) * kSecond;
    run_.stages = {{PLUMB_STAGE_WARMUP, "warmup", 0, kWarmup * kSecond},
                   {PLUMB_STAGE_STEADY, "steady", kWarmup * kSecond, end}};
    run_.state = store::RunState::kFinished;
    run_.ended_ns = end;
  }

  store::SeriesData declare(const std::string& name, uint32_t kind, const std::string& unit,
                            Labels labels) {
    store::SeriesData series;
    series.info.id = ++series_;
    series.info.plugin = "http_load";
    series.info.name = name;
    series.info.unit = unit;
    series.info.kind = kind;
    series.info.labels = std::move(labels);
    return series;
  }

  store::SeriesData histogram(const std::string& name, const std::string& outcome) {
    return declare(name, PLUMB_KIND_HISTOGRAM, "seconds",
                   {{"endpoint", service_.endpoint}, {"outcome", outcome}});
  }

  void counter(const std::string& name, const std::string& unit, double per_second,
               const Labels& labels) {
    store::SeriesData series = declare(name, PLUMB_KIND_COUNTER, unit, labels);
    for (int64_t t = 0; t <= kWarmup + service_.seconds; ++t) {
      series.times_ns.push_back(t * kSecond);
      series.values.push_back(per_second * static_cast<double>(t));
    }
    run_.series.push_back(std::move(series));
  }

  void gauge(const std::string& name, double value, const Labels& labels) {
    store::SeriesData series = declare(name, PLUMB_KIND_GAUGE, "1", labels);
    for (int64_t t = 0; t <= kWarmup + service_.seconds; ++t) {
      series.times_ns.push_back(t * kSecond);
      series.values.push_back(value * (0.95 + 0.1 * random_.unit()));
    }
    run_.series.push_back(std::move(series));
  }

  const SimulatedService& service_;
  facts::Random random_;
  store::RunData run_;
  uint32_t series_ = 0;
  double run_factor_ = 1;
  double drift_ = 0;
  bool disturbed_ = false;
};

}  // namespace

store::RunData simulated_run(const SimulatedService& service, uint64_t seed) {
  return Service(service, seed).run(seed);
}

}  // namespace plumb::testing
