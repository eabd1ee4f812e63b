#include "core/session/live.h"

#include <algorithm>
#include <utility>

namespace plumb::session {
namespace {

constexpr size_t kMostIntervals = 600;
// The load plugin sends the records of an interval one after the other; after this long all are in.
constexpr int64_t kSettledNs = 150'000'000;

std::string_view label(const SeriesInfo& series, std::string_view name) {
  for (const auto& [key, value] : series.labels)
    if (key == name) return value;
  return {};
}

// Which layer a phase of a request is spent in; the wait for the first byte is the service's, and
// is split by what the samplers see.
std::string_view layer_of_phase(std::string_view phase) {
  if (phase == "dns" || phase == "connect" || phase == "tls") return "network";
  if (phase == "lag" || phase == "queue" || phase == "send" || phase == "transfer") return "client";
  return {};
}

// Sessions that do nothing cost no request anything.
bool is_idle(const SeriesInfo& series) {
  const std::string_view name = label(series, "class");
  return name == "idle" || name == "idle_in_transaction" || name == "client";
}

}  // namespace

Live::Followed Live::follow(const SeriesInfo& series) {
  Followed out;
  if (series.name == "http_response_seconds") {
    out.use = Use::kResponse;
    out.failed = label(series, "outcome") == "failed";
  } else if (series.name == "http_phase_seconds") {
    out.layer = layer_of_phase(label(series, "phase"));
    if (!out.layer.empty()) out.use = Use::kPhase;
  } else if (series.name == "http_in_flight") {
    out.use = Use::kInFlight;
  } else if (series.name == "load_users") {
    out.use = Use::kUsers;
  } else if (series.name == "load_target_rate") {
    out.use = Use::kTargetRate;
  } else if (series.layer == PLUMB_LAYER_APP || series.layer == PLUMB_LAYER_DATABASE ||
             series.layer == PLUMB_LAYER_DOWNSTREAM) {
    const bool costs = series.part == PLUMB_PART_WAIT || series.part == PLUMB_PART_BUSY ||
                       !series.ledger_line.empty();
    if (costs && !is_idle(series)) {
      out.layer = layer_name(series.layer);
      if (series.kind == PLUMB_KIND_COUNTER && series.unit == "seconds")
        out.use = Use::kLayerSeconds;
      else if (series.kind == PLUMB_KIND_GAUGE && series.unit != "ratio")
        out.use = Use::kLayerCount;
    }
  }
  return out;
}

void Live::on_series(const SeriesInfo& series) {
  const MutexLock lock(mutex_);
  Followed followed = follow(series);
  if (followed.use != Use::kNone) series_[series.id] = std::move(followed);
}

void Live::on_samples(const std::vector<Sample>& samples) {
  const MutexLock lock(mutex_);
  for (const Sample& sample : samples)
    if (const auto found = series_.find(sample.series); found != series_.end())
      take_sample(found->second, sample);
}

void Live::take_sample(Followed& series, const Sample& sample) {
  if (series.last && first_stage_ns_ && sample.time_ns > series.last->time_ns) {
    LayerSeconds& layer = layers_[series.layer];
    const double elapsed = static_cast<double>(sample.time_ns - series.last->time_ns) / 1e9;
    if (series.use == Use::kLayerSeconds)
      layer.from_counters += std::max(0.0, sample.value - series.last->value);
    else if (series.use == Use::kLayerCount)
      layer.from_gauges += series.last->value * elapsed;
  }
  series.last = sample;
}

void Live::on_histogram(const HistogramRecord& record) {
  const MutexLock lock(mutex_);
  const auto found = series_.find(record.series);
  if (found == series_.end()) return;
  if (found->second.use == Use::kResponse)
    take_response(found->second, record);
  else if (found->second.use == Use::kPhase)
    for (auto* layers : {&layers_, &settled_layers_})
      (*layers)[found->second.layer].from_counters +=
          static_cast<double>(record.histogram.sum()) / 1e9;
}

void Live::take_response(const Followed& series, const HistogramRecord& record) {
  const uint64_t count = record.histogram.count();
  requests_ += count;
  if (series.failed) failed_ += count;
  response_s_ += static_cast<double>(record.histogram.sum()) / 1e9;
  auto at = std::find_if(intervals_.begin(), intervals_.end(),
                         [&](const Interval& i) { return i.end_ns >= record.end_ns; });
  if (at == intervals_.end()) settled_layers_ = layers_;
  if (at == intervals_.end() || at->end_ns != record.end_ns)
    at = intervals_.insert(
        at, {record.start_ns, record.end_ns, Histogram(record.histogram.precision_bits()), 0});
  if (!at->times.merge(record.histogram)) return;
  if (series.failed) at->failed += count;
  if (intervals_.size() > kMostIntervals) intervals_.pop_front();
}

void Live::on_health(const HealthChange& change) {
  const MutexLock lock(mutex_);
  health_[change.plugin] = change;
}

void Live::on_phase(std::string_view text) {
  const MutexLock lock(mutex_);
  phase_ = text;
  stage_.reset();
}

void Live::on_stage(const StageSpan& stage) {
  const MutexLock lock(mutex_);
  phase_.clear();
  stage_ = stage;
  if (!first_stage_ns_) first_stage_ns_ = stage.start_ns;
}

LivePoint Live::point_of(const Interval& interval) {
  LivePoint out{interval.start_ns, interval.end_ns, interval.times.count(), interval.failed};
  const double seconds = static_cast<double>(interval.end_ns - interval.start_ns) / 1e9;
  if (seconds > 0) out.rate = static_cast<double>(out.requests) / seconds;
  const auto quantile = [&](double q) -> std::optional<double> {
    const auto value = interval.times.quantile(q);
    if (!value) return std::nullopt;
    return *value / 1e9;
  };
  out.p50_s = quantile(0.5);
  out.p95_s = quantile(0.95);
  out.p99_s = quantile(0.99);
  return out;
}

std::optional<double> Live::latest(Use use) const {
  std::optional<double> sum;
  for (const auto& [id, series] : series_)
    if (series.use == use && series.last) sum = sum.value_or(0) + series.last->value;
  return sum;
}

std::optional<LiveLayer> Live::top_layer() const {
  if (requests_ == 0) return std::nullopt;
  const auto requests = static_cast<double>(requests_);
  LiveLayer top{"", 0, response_s_ / requests * 1e3};
  double explained = 0;
  for (const auto& [name, seconds] : settled_layers_) {
    // Both speak of the same time, seen twice.
    const double ms = std::max(seconds.from_counters, seconds.from_gauges) / requests * 1e3;
    explained += ms;
    if (ms > top.ms) top = {name, ms, top.of_ms};
  }
  const double rest = top.of_ms - explained;
  if (rest > top.ms) top = {"unexplained", rest, top.of_ms};
  top.ms = std::min(top.ms, top.of_ms);
  if (top.name.empty()) return std::nullopt;
  return top;
}

LiveSnapshot Live::snapshot(int64_t now_ns) const {
  const MutexLock lock(mutex_);
  LiveSnapshot out;
  out.phase = phase_;
  out.stage = stage_;
  if (stage_) {
    out.stage_s = static_cast<double>(stage_->end_ns - stage_->start_ns) / 1e9;
    out.stage_elapsed_s =
        std::clamp(static_cast<double>(now_ns - stage_->start_ns) / 1e9, 0.0, out.stage_s);
    out.left_s =
        std::max(0.0, load_seconds_ - static_cast<double>(now_ns - *first_stage_ns_) / 1e9);
  }
  out.requests = requests_;
  out.failed = failed_;
  out.in_flight = latest(Use::kInFlight);
  out.users = latest(Use::kUsers);
  out.target_rate = latest(Use::kTargetRate);
  for (auto at = intervals_.rbegin(); at != intervals_.rend() && !out.last; ++at)
    if (now_ns - at->end_ns >= kSettledNs) out.last = point_of(*at);
  out.top = top_layer();
  for (const auto& [plugin, change] : health_)
    if (change.health != PLUMB_HEALTH_OK) out.unwell.push_back(change);
  return out;
}

std::vector<LivePoint> Live::points(size_t most) const {
  const MutexLock lock(mutex_);
  std::vector<LivePoint> out;
  const size_t skip = intervals_.size() > most ? intervals_.size() - most : 0;
  for (size_t i = skip; i < intervals_.size(); ++i) out.push_back(point_of(intervals_[i]));
  return out;
}

}  // namespace plumb::session
