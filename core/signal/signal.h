// What plugins say, in the core's own types: the one vocabulary between the engine, which receives
// it, the store, which keeps it, and the facts, which are computed from it.
#ifndef PLUMB_CORE_SIGNAL_SIGNAL_H_
#define PLUMB_CORE_SIGNAL_SIGNAL_H_

#include <plumb/abi/plugin.h>

#include <cstdint>
#include <optional>
#include <plumb/histogram.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plumb {

// Sorted by name, names unique.
using Labels = std::vector<std::pair<std::string, std::string>>;

// The label's value; empty where there is none of that name.
std::string label_of(const Labels& labels, std::string_view name);

// One series of one plugin instance. `id` is unique within a run.
struct SeriesInfo {
  uint32_t id = 0;
  std::string plugin;
  std::string name;
  std::string unit;
  std::string help = {};
  uint32_t kind = PLUMB_KIND_GAUGE;   // enum plumb_kind
  uint32_t layer = PLUMB_LAYER_NONE;  // enum plumb_layer
  uint32_t part = PLUMB_PART_NONE;    // enum plumb_part
  Labels labels = {};
  std::string ledger_line = {};  // empty: feeds none
  std::string resource = {};     // empty: no serial resource
};

struct Sample {
  uint32_t series = 0;
  int64_t time_ns = 0;
  double value = 0;
};

struct HistogramRecord {
  uint32_t series = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  Histogram histogram;
};

struct Event {
  std::string plugin;  // "engine" for the engine's own
  int64_t time_ns = 0;
  uint32_t level = PLUMB_INFO;  // enum plumb_level
  std::string kind;
  std::string message;
  std::string attributes = {};  // a JSON object, or empty
};

struct TableRecord {
  std::string plugin;
  int64_t time_ns = 0;
  std::string name;
  std::string json;  // see plumb_table
};

// One stack: its frames, joined by ';' from the outermost to the innermost, and what it weighs in
// its profile's unit (above zero).
struct FoldedStack {
  std::string frames;
  double weight = 0;
};

// The stacks of one profile that a plugin saw in [start_ns, end_ns). Batches of a profile add up.
struct StackBatch {
  std::string plugin;
  std::string profile;  // on_cpu, off_cpu, ...
  std::string unit;     // seconds, bytes, 1
  std::string help = {};
  uint32_t layer = PLUMB_LAYER_NONE;  // enum plumb_layer
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  std::vector<FoldedStack> stacks = {};
};

// A change of what a plugin can see. The last one of a plugin is its state at the end.
struct HealthChange {
  std::string plugin;
  int64_t time_ns = 0;
  uint32_t health = PLUMB_HEALTH_OK;  // enum plumb_health
  std::string message;
};

struct StageSpan {
  uint32_t kind = PLUMB_STAGE_STEADY;  // enum plumb_stage_kind
  std::string name;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

// Where signals go. Implementations are safe to call from several threads at once, and never
// block for long: each plugin's reader thread calls straight in.
class SignalSink {
 public:
  virtual ~SignalSink() = default;
  virtual void on_series(const SeriesInfo& series) = 0;
  virtual void on_samples(const std::vector<Sample>& samples) = 0;
  virtual void on_histogram(const HistogramRecord& histogram) = 0;
  virtual void on_event(const Event& event) = 0;
  virtual void on_table(const TableRecord& table) = 0;
  virtual void on_stacks(const StackBatch& batch) = 0;
  virtual void on_health(const HealthChange& change) = 0;
};

// "client", "network", ...; "none" for PLUMB_LAYER_NONE and for what is no layer.
std::string_view layer_name(uint32_t layer);
// "counter", "gauge", "histogram".
std::string_view kind_name(uint32_t kind);
// "utilisation", "wait", ...; "none".
std::string_view part_name(uint32_t part);
// "ok", "degraded", "dark".
std::string_view health_name(uint32_t health);
// "warmup", "steady", "cooldown".
std::string_view stage_kind_name(uint32_t kind);
// "sampler", "load", "analyzer".
std::string_view role_name(uint32_t role);
// "debug", "info", "warning", "error".
std::string_view level_name(uint32_t level);

}  // namespace plumb

#endif  // PLUMB_CORE_SIGNAL_SIGNAL_H_
