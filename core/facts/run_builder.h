// Test support: runs made of a few round numbers, as a plugin would have said them.
#ifndef PLUMB_CORE_FACTS_RUN_BUILDER_H_
#define PLUMB_CORE_FACTS_RUN_BUILDER_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/store/run_file.h"

namespace plumb::testing {

// A run with a warm-up of 2 s and a steady stage of 10 s from second 2 to second 12, or of another
// length.
class RunBuilder {
 public:
  static constexpr int64_t kSecond = 1'000'000'000;
  static constexpr int64_t kSteadyStart = 2 * kSecond;
  static constexpr int64_t kSteadyEnd = 12 * kSecond;

  explicit RunBuilder(int64_t steady_seconds = 10) : end_(2 + steady_seconds) {
    run_.header.id = "20261120T104512Z-7f3a";
    run_.header.name = "shop";
    run_.state = store::RunState::kFinished;
    run_.stages = {{PLUMB_STAGE_WARMUP, "warmup", 0, kSteadyStart},
                   {PLUMB_STAGE_STEADY, "steady", kSteadyStart, end_ * kSecond}};
    run_.ended_ns = end_ * kSecond;
  }

  store::RunData& data() { return run_; }

  // A gauge that stays at `value`.
  RunBuilder& gauge(const std::string& name, double value, const Labels& labels = {},
                    const std::string& unit = "1") {
    store::SeriesData& series = add(name, PLUMB_KIND_GAUGE, labels, unit);
    for (int64_t t = 0; t <= end_; ++t) put(series, t * kSecond, value);
    return *this;
  }

  // A gauge that goes evenly from one value to another.
  RunBuilder& rising_gauge(const std::string& name, double from, double to,
                           const Labels& labels = {}, const std::string& unit = "1") {
    store::SeriesData& series = add(name, PLUMB_KIND_GAUGE, labels, unit);
    for (int64_t t = 0; t <= end_; ++t)
      put(series, t * kSecond,
          from + (to - from) * static_cast<double>(t) / static_cast<double>(end_));
    return *this;
  }

  // A counter that grows by `per_second`.
  RunBuilder& counter(const std::string& name, double per_second, const Labels& labels = {},
                      const std::string& unit = "seconds") {
    store::SeriesData& series = add(name, PLUMB_KIND_COUNTER, labels, unit);
    for (int64_t t = 0; t <= end_; ++t)
      put(series, t * kSecond, 100 + per_second * static_cast<double>(t));
    return *this;
  }

  // A counter that grows by `per_second[t]` in second t; the last one goes on.
  RunBuilder& counter_over_time(const std::string& name, const std::vector<double>& per_second,
                                const Labels& labels = {}, const std::string& unit = "seconds") {
    store::SeriesData& series = add(name, PLUMB_KIND_COUNTER, labels, unit);
    double value = 100;
    for (int64_t t = 0; t <= end_; ++t) {
      put(series, t * kSecond, value);
      value += at(per_second, t);
    }
    return *this;
  }

  // A gauge that is `values[t]` during second t.
  RunBuilder& gauge_over_time(const std::string& name, const std::vector<double>& values,
                              const std::string& unit = "1") {
    store::SeriesData& series = add(name, PLUMB_KIND_GAUGE, {}, unit);
    for (size_t t = 0; t < values.size(); ++t)
      put(series, static_cast<int64_t>(t) * kSecond + kSecond / 2, values[t]);
    return *this;
  }

  // `rates[t]` requests that ended in second t, with `in_flight[t]` under way at a time.
  RunBuilder& load_over_time(const std::vector<uint64_t>& rates,
                             const std::vector<double>& in_flight) {
    store::SeriesData& series = add("http_response_seconds", PLUMB_KIND_HISTOGRAM,
                                    {{"endpoint", "orders"}, {"outcome", "ok"}}, "seconds");
    for (size_t t = 0; t < rates.size(); ++t) {
      const auto at = static_cast<int64_t>(t);
      HistogramRecord record{series.info.id, at * kSecond, (at + 1) * kSecond, Histogram()};
      record.histogram.record(
          static_cast<uint64_t>(1e9 * in_flight[t] / static_cast<double>(rates[t])), rates[t]);
      series.histograms.push_back(std::move(record));
    }
    counter("http_scheduled_total", 100, {}, "requests");
    return gauge_over_time("http_in_flight", in_flight, "requests");
  }

  // In place of the one steady stage.
  RunBuilder& stages(std::vector<StageSpan> spans) {
    run_.stages = std::move(spans);
    return *this;
  }

  // One record a second with `per_second` values of `seconds` each.
  RunBuilder& histogram(const std::string& name, double seconds, uint64_t per_second,
                        const Labels& labels) {
    return histogram_over_time(name, {seconds}, per_second, labels);
  }

  // The same with values of `seconds[t]` in second t; the last one goes on.
  RunBuilder& histogram_over_time(const std::string& name, const std::vector<double>& seconds,
                                  uint64_t per_second, const Labels& labels) {
    store::SeriesData& series = add(name, PLUMB_KIND_HISTOGRAM, labels, "seconds");
    for (int64_t t = 0; t < end_; ++t) {
      HistogramRecord record{series.info.id, t * kSecond, (t + 1) * kSecond, Histogram()};
      record.histogram.record(static_cast<uint64_t>(at(seconds, t) * 1e9), per_second);
      series.histograms.push_back(std::move(record));
    }
    return *this;
  }

  // Responses of 100 requests in each second, all of which took `seconds[t]` in second t.
  RunBuilder& response_over_time(const std::vector<double>& seconds) {
    store::SeriesData& series = add("http_response_seconds", PLUMB_KIND_HISTOGRAM,
                                    {{"endpoint", "orders"}, {"outcome", "ok"}}, "seconds");
    for (size_t t = 0; t < seconds.size(); ++t) {
      const auto at = static_cast<int64_t>(t);
      HistogramRecord record{series.info.id, at * kSecond, (at + 1) * kSecond, Histogram()};
      record.histogram.record(static_cast<uint64_t>(seconds[t] * 1e9), 100);
      series.histograms.push_back(std::move(record));
    }
    return *this;
  }

  // What http_load says of `per_second` requests that each took `seconds`, all of it waiting.
  RunBuilder& requests(double seconds, uint64_t per_second,
                       const std::string& endpoint = "orders") {
    return requests_over_time({seconds}, per_second, endpoint);
  }

  // The same of requests that took `seconds[t]` in second t; the last one goes on.
  RunBuilder& requests_over_time(const std::vector<double>& seconds, uint64_t per_second,
                                 const std::string& endpoint = "orders") {
    const Labels ok = {{"endpoint", endpoint}, {"outcome", "ok"}};
    histogram_over_time("http_response_seconds", seconds, per_second, ok);
    histogram_over_time("http_service_seconds", seconds, per_second, ok);
    histogram_over_time("http_phase_seconds", seconds, per_second,
                        {{"endpoint", endpoint}, {"phase", "wait"}});
    histogram("http_phase_seconds", 0, per_second, {{"endpoint", endpoint}, {"phase", "lag"}});
    const auto rate = static_cast<double>(per_second);
    counter("http_scheduled_total", rate, {}, "requests");
    counter("http_started_total", rate, {}, "requests");
    counter("generator_cpu_seconds_total", 0.05);
    std::vector<double> in_flight;
    for (int64_t t = 0; t <= end_; ++t) in_flight.push_back(rate * at(seconds, t));
    gauge_over_time("http_in_flight", in_flight, "requests");
    return *this;
  }

  RunBuilder& table(const std::string& name, const std::string& json) {
    run_.tables.push_back({"test", run_.ended_ns, name, json});
    return *this;
  }

  SeriesInfo& last_series() { return run_.series.back().info; }

 private:
  store::SeriesData& add(const std::string& name, uint32_t kind, Labels labels,
                         const std::string& unit) {
    std::sort(labels.begin(), labels.end());
    // A series said again replaces the one that requests() made of it.
    std::erase_if(run_.series, [&](const store::SeriesData& earlier) {
      return earlier.info.name == name && earlier.info.labels == labels;
    });
    store::SeriesData series;
    series.info.id = ++series_;
    series.info.plugin = "test";
    series.info.name = name;
    series.info.unit = unit;
    series.info.kind = kind;
    series.info.labels = std::move(labels);
    run_.series.push_back(std::move(series));
    return run_.series.back();
  }
  static double at(const std::vector<double>& values, int64_t second) {
    return values[std::min(static_cast<size_t>(second), values.size() - 1)];
  }
  static void put(store::SeriesData& series, int64_t t, double value) {
    series.times_ns.push_back(t);
    series.values.push_back(value);
  }

  const int64_t end_;  // in seconds
  store::RunData run_;
  uint32_t series_ = 0;
};

}  // namespace plumb::testing

#endif  // PLUMB_CORE_FACTS_RUN_BUILDER_H_
