#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/facts/facts.h"
#include "core/report/chosen_series.h"
#include "core/report/sections.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr double kMostPoints = 600;
// An interval that was watched for less than this share says nothing.
constexpr double kLeastCovered = 0.3;

bool is_response(const SeriesInfo& info) { return info.name == "http_response_seconds"; }

struct Extent {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  bool empty() const { return end_ns <= start_ns; }
  void include(int64_t from, int64_t to) {
    if (empty()) {
      *this = {from, std::max(to, from + 1)};
      return;
    }
    start_ns = std::min(start_ns, from);
    end_ns = std::max(end_ns, to);
  }
};

void include_series(const store::SeriesData& series, Extent& extent) {
  if (!series.times_ns.empty()) extent.include(series.times_ns.front(), series.times_ns.back());
  for (const HistogramRecord& record : series.histograms)
    extent.include(record.start_ns, record.end_ns);
}

// The intervals of the time axis. They are laid from the steady window's start in both directions,
// since the load's own intervals are cut there: so each of those falls into one of these.
class Axis {
 public:
  Axis(const store::RunData& run, const Extent& extent) {
    const double seconds = static_cast<double>(extent.end_ns - extent.start_ns) / 1e9;
    interval_ns_ =
        static_cast<int64_t>(std::max(1.0, std::ceil(seconds / (kMostPoints - 2)))) * 1'000'000'000;
    int64_t anchor = extent.start_ns;
    if (const auto window = facts::steady_window(run)) anchor = window->start_ns;
    const int64_t before = anchor - extent.start_ns;
    const int64_t steps = before > 0 ? (before + interval_ns_ - 1) / interval_ns_ : 0;
    start_ns_ = anchor - steps * interval_ns_;
    // A rest too short to be told apart from clock noise gets no interval of its own.
    const int64_t length = std::max<int64_t>(extent.end_ns - start_ns_, 1);
    size_ = static_cast<size_t>((length + interval_ns_ - 1) / interval_ns_);
    if (size_ > 1 && length - static_cast<int64_t>(size_ - 1) * interval_ns_ < interval_ns_ / 20)
      --size_;
  }

  size_t size() const { return size_; }
  int64_t start_of(size_t i) const { return start_ns_ + static_cast<int64_t>(i) * interval_ns_; }
  int64_t end_of(size_t i) const { return start_of(i) + interval_ns_; }
  double interval_s() const { return static_cast<double>(interval_ns_) / 1e9; }
  size_t index_of(int64_t time_ns) const {
    if (time_ns <= start_ns_) return 0;
    return std::min(static_cast<size_t>((time_ns - start_ns_) / interval_ns_), size_ - 1);
  }

  // Calls `add(i, overlap_ns)` for each interval that [from, to) touches.
  template <typename Add>
  void spread(int64_t from, int64_t to, Add&& add) const {
    for (size_t i = index_of(from); i < size_ && start_of(i) < to; ++i) {
      const int64_t overlap = std::min(to, end_of(i)) - std::max(from, start_of(i));
      if (overlap > 0) add(i, overlap);
    }
  }

 private:
  int64_t start_ns_ = 0;
  int64_t interval_ns_ = 1'000'000'000;
  size_t size_ = 0;
};

using Values = std::vector<std::optional<double>>;

json to_json(const Values& values) {
  json out = json::array();
  for (const auto& value : values) out.push_back(value ? json(six_digits(*value)) : json());
  return out;
}

Values gauge_values(const store::SeriesData& series, const Axis& axis) {
  std::vector<double> sums(axis.size(), 0.0);
  std::vector<size_t> counts(axis.size(), 0);
  for (size_t i = 0; i < series.times_ns.size(); ++i) {
    if (series.times_ns[i] < axis.start_of(0)) continue;
    // A sample tells of the time that led up to it.
    const size_t at = axis.index_of(series.times_ns[i] - 1);
    sums[at] += series.values[i];
    ++counts[at];
  }
  Values out(axis.size());
  for (size_t i = 0; i < out.size(); ++i)
    if (counts[i] != 0) out[i] = sums[i] / static_cast<double>(counts[i]);
  return out;
}

// Growth per second. Between two samples a counter grows linearly; one that falls has restarted.
Values counter_rates(const store::SeriesData& series, const Axis& axis) {
  std::vector<double> growth(axis.size(), 0.0);
  std::vector<int64_t> covered(axis.size(), 0);
  for (size_t i = 1; i < series.times_ns.size(); ++i) {
    const int64_t from = series.times_ns[i - 1];
    const int64_t to = series.times_ns[i];
    if (to <= from) continue;
    const double step = series.values[i] >= series.values[i - 1]
                            ? series.values[i] - series.values[i - 1]
                            : std::max(series.values[i], 0.0);
    axis.spread(from, to, [&](size_t at, int64_t overlap) {
      growth[at] += step * static_cast<double>(overlap) / static_cast<double>(to - from);
      covered[at] += overlap;
    });
  }
  Values out(axis.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const double seconds = static_cast<double>(covered[i]) / 1e9;
    if (seconds >= kLeastCovered * axis.interval_s()) out[i] = growth[i] / seconds;
  }
  return out;
}

// What the client saw: rates while load was made, percentiles where a request succeeded.
struct Traffic {
  Values requests_per_s;
  Values errors_per_s;
  Values p50_ms;
  Values p95_ms;
  Values p99_ms;
};

Traffic traffic_of(const store::RunData& run, const Axis& axis, const Extent& load) {
  std::vector<double> finished(axis.size(), 0.0);
  std::vector<double> failed(axis.size(), 0.0);
  std::vector<std::optional<Histogram>> succeeded(axis.size());
  for (const store::SeriesData& series : run.series) {
    if (!is_response(series.info)) continue;
    const bool ok = label_of(series.info.labels, "outcome") == "ok";
    for (const HistogramRecord& record : series.histograms) {
      const double length = static_cast<double>(record.end_ns - record.start_ns);
      if (length <= 0) continue;
      const auto count = static_cast<double>(record.histogram.count());
      size_t most = axis.index_of(record.start_ns);
      int64_t most_overlap = 0;
      axis.spread(record.start_ns, record.end_ns, [&](size_t at, int64_t overlap) {
        const double part = count * static_cast<double>(overlap) / length;
        finished[at] += part;
        if (!ok) failed[at] += part;
        if (overlap > most_overlap) {
          most = at;
          most_overlap = overlap;
        }
      });
      if (!ok || most_overlap == 0) continue;
      if (!succeeded[most])
        succeeded[most] = record.histogram;
      else
        (void)succeeded[most]->merge(record.histogram);
    }
  }

  Traffic out{Values(axis.size()), Values(axis.size()), Values(axis.size()), Values(axis.size()),
              Values(axis.size())};
  for (size_t i = 0; i < axis.size(); ++i) {
    const int64_t watched =
        std::min(load.end_ns, axis.end_of(i)) - std::max(load.start_ns, axis.start_of(i));
    const double seconds = static_cast<double>(watched) / 1e9;
    if (seconds >= kLeastCovered * axis.interval_s()) {
      out.requests_per_s[i] = finished[i] / seconds;
      out.errors_per_s[i] = failed[i] / seconds;
    }
    if (!succeeded[i]) continue;
    const auto milliseconds = [&](double q) {
      const auto value = succeeded[i]->quantile(q);
      return value ? std::optional(*value / 1e6) : std::nullopt;
    };
    out.p50_ms[i] = milliseconds(0.50);
    out.p95_ms[i] = milliseconds(0.95);
    out.p99_ms[i] = milliseconds(0.99);
  }
  return out;
}

Extent load_extent(const store::RunData& run) {
  Extent extent;
  bool responses = false;
  for (const store::SeriesData& series : run.series) {
    if (series.info.name.rfind("http_", 0) != 0) continue;
    include_series(series, extent);
    responses = responses || is_response(series.info) || series.info.name == "http_scheduled_total";
  }
  return responses ? extent : Extent{};
}

Extent run_extent(const store::RunData& run) {
  Extent extent;
  for (const store::SeriesData& series : run.series) include_series(series, extent);
  const bool known_stages = run.state != store::RunState::kRunning;
  for (const StageSpan& stage : run.stages)
    if (known_stages && stage.end_ns > stage.start_ns) extent.include(stage.start_ns, stage.end_ns);
  return extent;
}

}  // namespace

json timeline_json(const store::RunData& run) {
  const Extent extent = run_extent(run);
  json out = {{"interval_s", nullptr},         {"start_s", nullptr},
              {"t_s", json::array()},          {"requests_per_s", json::array()},
              {"errors_per_s", json::array()}, {"p50_ms", json::array()},
              {"p95_ms", json::array()},       {"p99_ms", json::array()},
              {"in_flight", json::array()},    {"stages", json::array()},
              {"series", json::array()}};
  for (const StageSpan& stage : run.stages) {
    json one = span(run, stage.start_ns, stage.end_ns);
    one["kind"] = stage_kind_name(stage.kind);
    one["name"] = stage.name;
    out["stages"].push_back(std::move(one));
  }
  if (extent.empty()) return out;

  const Axis axis(run, extent);
  const Extent load = load_extent(run);
  out["interval_s"] = axis.interval_s();
  out["start_s"] = run_seconds(run, axis.start_of(0));
  for (size_t i = 0; i < axis.size(); ++i) out["t_s"].push_back(run_seconds(run, axis.start_of(i)));
  const Traffic traffic = traffic_of(run, axis, load);
  out["requests_per_s"] = to_json(traffic.requests_per_s);
  out["errors_per_s"] = to_json(traffic.errors_per_s);
  out["p50_ms"] = to_json(traffic.p50_ms);
  out["p95_ms"] = to_json(traffic.p95_ms);
  out["p99_ms"] = to_json(traffic.p99_ms);
  Values in_flight(axis.size());
  for (const store::SeriesData& series : run.series)
    if (series.info.name == "http_in_flight") in_flight = gauge_values(series, axis);
  out["in_flight"] = to_json(in_flight);

  for (const ChosenSeries& chosen : choose_series(run)) {
    const bool counter = chosen.data->info.kind == PLUMB_KIND_COUNTER;
    const Values values =
        counter ? counter_rates(*chosen.data, axis) : gauge_values(*chosen.data, axis);
    json labels = json::object();
    for (const auto& [name, value] : chosen.data->info.labels) labels[name] = value;
    out["series"].push_back({{"name", chosen.data->info.name},
                             {"title", chosen.title},
                             {"labels", std::move(labels)},
                             {"unit", chosen.unit},
                             {"layer", layer_name(chosen.data->info.layer)},
                             {"values", to_json(values)}});
  }
  return out;
}

}  // namespace plumb::report
