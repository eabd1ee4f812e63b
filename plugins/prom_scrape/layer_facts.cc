#include "plugins/prom_scrape/layer_facts.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace plumb::prom_scrape {
namespace {

// Pools say "no limit" with 0, -1 or the largest integer; a limit that large limits nothing.
constexpr double kNoLimitFrom = 1e6;

struct OutputRow {
  const char* name;
  const char* unit;
  uint32_t kind;
  uint32_t part;
  const char* label;  // that names the pool or cache, or nullptr
  const char* help;
};

enum OutputIndex : size_t {
  kInFlight,
  kInUse,
  kLimit,
  kWaiting,
  kWaitSeconds,
  kUtilisation,
  kBusyWorkers,
  kWorkers,
  kQueued,
  kWorkerUtilisation,
  kHits,
  kMisses,
  kCollecting,
  kLag,
  kOutputRows,
};

// No part is WAIT or BUSY where host_metrics or pg_stats tell the same time already.
constexpr OutputRow kOutputTable[] = {
    {"app_requests_in_flight", "requests", PLUMB_KIND_GAUGE, PLUMB_PART_SATURATION, nullptr,
     "requests that the application says it is answering"},
    {"app_pool_in_use", "connections", PLUMB_KIND_GAUGE, PLUMB_PART_NONE, "pool",
     "connections of the application's pool that are lent out"},
    {"app_pool_limit", "connections", PLUMB_KIND_GAUGE, PLUMB_PART_NONE, "pool",
     "connections that the application's pool may have"},
    {"app_pool_waiting", "requests", PLUMB_KIND_GAUGE, PLUMB_PART_SATURATION, "pool",
     "callers that wait for a connection of the pool"},
    {"app_pool_wait_seconds_total", "seconds", PLUMB_KIND_COUNTER, PLUMB_PART_WAIT, "pool",
     "time that callers waited for a connection of the pool"},
    {"app_pool_utilisation_ratio", "ratio", PLUMB_KIND_GAUGE, PLUMB_PART_UTILISATION, "pool",
     "share of the connections that the pool may have which are lent out"},
    {"app_workers_busy", "workers", PLUMB_KIND_GAUGE, PLUMB_PART_NONE, "pool",
     "threads or processes of the application at work"},
    {"app_workers_limit", "workers", PLUMB_KIND_GAUGE, PLUMB_PART_NONE, "pool",
     "threads or processes that the application may have for this"},
    {"app_workers_waiting", "requests", PLUMB_KIND_GAUGE, PLUMB_PART_SATURATION, "pool",
     "tasks that wait for a thread or process of the application"},
    {"app_workers_utilisation_ratio", "ratio", PLUMB_KIND_GAUGE, PLUMB_PART_UTILISATION, "pool",
     "share of the threads or processes that may be which are at work"},
    {"app_cache_hits_total", "requests", PLUMB_KIND_COUNTER, PLUMB_PART_NONE, "cache",
     "look-ups that the application's cache answered"},
    {"app_cache_misses_total", "requests", PLUMB_KIND_COUNTER, PLUMB_PART_NONE, "cache",
     "look-ups that the application's cache could not answer"},
    {"app_gc_seconds_total", "seconds", PLUMB_KIND_COUNTER, PLUMB_PART_SATURATION, nullptr,
     "time in pauses for garbage collection"},
    {"app_eventloop_lag_seconds", "seconds", PLUMB_KIND_GAUGE, PLUMB_PART_SATURATION, nullptr,
     "how late the event loop's timers are"},
};
static_assert(std::size(kOutputTable) == kOutputRows);

uint32_t layer_of(Scope scope) {
  if (scope == Scope::kDatabase) return PLUMB_LAYER_DATABASE;
  return scope == Scope::kDownstream ? PLUMB_LAYER_DOWNSTREAM : PLUMB_LAYER_APP;
}

bool is_counter(Quantity quantity) {
  return quantity == Quantity::kPoolWaitSeconds || quantity == Quantity::kCacheHits ||
         quantity == Quantity::kCacheMisses || quantity == Quantity::kGcSeconds;
}

std::optional<double> limit_from(std::optional<double> value) {
  return value && *value > 0 && *value < kNoLimitFrom ? value : std::nullopt;
}

std::optional<double> share_of(std::optional<double> used, std::optional<double> limit) {
  if (!used || !limit) return std::nullopt;
  return std::min(1.0, *used / *limit);
}

}  // namespace

LayerFacts::Kind LayerFacts::kind_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::kRequestsInFlight:
    case Quantity::kGcSeconds:
    case Quantity::kEventLoopLag:
      return Kind::kProcess;
    case Quantity::kWorkersBusy:
    case Quantity::kWorkersLimit:
    case Quantity::kWorkersWaiting:
      return Kind::kWorkers;
    case Quantity::kCacheHits:
    case Quantity::kCacheMisses:
      return Kind::kCache;
    default:
      return Kind::kPool;
  }
}

std::optional<uint32_t> LayerFacts::recognise(std::string_view sample, const MetricLabels& labels) {
  static_assert(kOutputs == kOutputRows);
  const std::optional<size_t> found = prom_scrape::recognise(sample, labels);
  if (!found) return std::nullopt;
  const StandardMetric& row = standard_metrics()[*found];
  const Kind kind = kind_of(row.quantity);
  const std::string instance = instance_of(row, labels);
  const auto same = [&](const Resource& r) {
    return r.kind == kind && r.scope == row.scope && r.instance == instance;
  };
  auto at = std::find_if(resources_.begin(), resources_.end(), same);
  if (at == resources_.end()) {
    if (resources_.size() >= kMostResources) {
      full_ = true;
      return std::nullopt;
    }
    at = resources_.insert(resources_.end(), Resource{kind, row.scope, instance, {}, {}});
  }
  inputs_.push_back(
      {*found, static_cast<size_t>(at - resources_.begin()), {}, std::nullopt, false, false});
  Reading& reading = reading_of(inputs_.back());
  if (!reading.used) reading.row = std::min(reading.row, *found);
  return static_cast<uint32_t>(inputs_.size() - 1);
}

LayerFacts::Reading& LayerFacts::reading_of(const Input& input) {
  const Quantity quantity = standard_metrics()[input.row].quantity;
  return resources_[input.resource].readings[static_cast<size_t>(quantity)];
}

void LayerFacts::set(uint32_t handle, double value, Continuity continuity, Continuity if_fallen,
                     bool from_zero) {
  Input& input = inputs_[handle];
  const StandardMetric& row = standard_metrics()[input.row];
  const double scaled = value * row.scale;
  // Some pools say -1 for what they do not know.
  if (!std::isfinite(scaled) || scaled < 0) return;
  if (!is_counter(row.quantity)) {
    input.value = scaled;
    return;
  }
  // One that joins others late would make their sum jump by all it ever counted.
  const bool joins = !input.known && !from_zero && reading_of(input).used;
  const bool fell = continuity == Continuity::kSame && input.total.falls_at(scaled);
  if (joins || fell) continuity = joins ? Continuity::kOther : if_fallen;
  if (!input.known) input.from_zero = from_zero;
  input.known = true;
  input.value = input.total.update(scaled, continuity);
}

// Adds up the inputs of each quantity, those of the row that is believed.
void LayerFacts::sum_up() {
  for (Resource& resource : resources_)
    for (Reading& reading : resource.readings) reading.value.reset();
  for (Input& input : inputs_) {
    Reading& reading = reading_of(input);
    // A counter that this page lacks still holds what it has counted.
    const bool counter = is_counter(standard_metrics()[input.row].quantity);
    const std::optional<double> value =
        counter && input.known ? std::optional(input.total.total()) : input.value;
    if (reading.row == input.row && value) {
      reading.from_zero = reading.value ? reading.from_zero && input.from_zero : input.from_zero;
      reading.value = reading.value.value_or(0) + *value;
    }
    input.value.reset();
  }
}

void LayerFacts::emit(int64_t now_ns, int64_t before_ns) {
  sum_up();
  for (Resource& resource : resources_) emit_resource(resource, now_ns, before_ns);
}

void LayerFacts::emit_resource(Resource& resource, int64_t now_ns, int64_t before_ns) {
  const auto value = [&](Quantity quantity) {
    return resource.readings[static_cast<size_t>(quantity)].value;
  };
  switch (resource.kind) {
    case Kind::kProcess:
      gauge(resource, kInFlight, value(Quantity::kRequestsInFlight), now_ns);
      gauge(resource, kLag, value(Quantity::kEventLoopLag), now_ns);
      counter(resource, kCollecting, Quantity::kGcSeconds, now_ns, before_ns);
      break;
    case Kind::kPool: {
      std::optional<double> in_use = value(Quantity::kPoolInUse);
      const auto size = value(Quantity::kPoolSize);
      const auto idle = value(Quantity::kPoolIdle);
      if (!in_use && size && idle) in_use = std::max(0.0, *size - *idle);
      const auto limit = limit_from(value(Quantity::kPoolLimit));
      gauge(resource, kInUse, in_use, now_ns);
      gauge(resource, kLimit, limit, now_ns);
      gauge(resource, kUtilisation, share_of(in_use, limit), now_ns);
      gauge(resource, kWaiting, value(Quantity::kPoolWaiting), now_ns);
      counter(resource, kWaitSeconds, Quantity::kPoolWaitSeconds, now_ns, before_ns);
      break;
    }
    case Kind::kWorkers: {
      const auto busy = value(Quantity::kWorkersBusy);
      const auto limit = limit_from(value(Quantity::kWorkersLimit));
      gauge(resource, kBusyWorkers, busy, now_ns);
      gauge(resource, kWorkers, limit, now_ns);
      gauge(resource, kWorkerUtilisation, share_of(busy, limit), now_ns);
      gauge(resource, kQueued, value(Quantity::kWorkersWaiting), now_ns);
      break;
    }
    case Kind::kCache:
      counter(resource, kHits, Quantity::kCacheHits, now_ns, before_ns);
      counter(resource, kMisses, Quantity::kCacheMisses, now_ns, before_ns);
      break;
  }
  for (Reading& reading : resource.readings) reading.used = reading.used || reading.value;
}

LayerFacts::Output* LayerFacts::output_of(Resource& resource, size_t output) {
  Output& out = resource.outputs[output];
  if (!out.tried) {
    out.tried = true;
    const OutputRow& row = kOutputTable[output];
    SeriesSpec spec;
    spec.name = row.name;
    spec.unit = row.unit;
    spec.kind = row.kind;
    spec.layer = layer_of(resource.scope);
    spec.part = row.part;
    spec.help = row.help;
    if (row.label != nullptr) spec.labels.emplace_back(row.label, resource.instance);
    // The name under which the core knows the pool that it infers from the database's sessions.
    const bool serial = output == kUtilisation && resource.scope == Scope::kDatabase;
    if (serial) spec.resource = "a pool connection";
    out.series = out_.declare(spec);
    if (out.series) out.counter.begin(*out.series);
  }
  return out.series ? &out : nullptr;
}

void LayerFacts::gauge(Resource& resource, size_t output, std::optional<double> value,
                       int64_t now_ns) {
  if (!value) return;
  if (const Output* out = output_of(resource, output)) out_.add(*out->series, now_ns, *value);
}

void LayerFacts::counter(Resource& resource, size_t output, Quantity quantity, int64_t now_ns,
                         int64_t before_ns) {
  const Reading& reading = resource.readings[static_cast<size_t>(quantity)];
  if (!reading.value) return;
  Output* out = output_of(resource, output);
  if (out == nullptr) return;
  if (!reading.used && reading.from_zero) out->counter.was_zero(out_, before_ns);
  out->counter.add(out_, now_ns, *reading.value);
}

void LayerFacts::finish() {
  for (Resource& resource : resources_)
    for (Output& output : resource.outputs)
      if (output.series) output.counter.finish(out_);
}

}  // namespace plumb::prom_scrape
