// Makes plumb's own series about the application's layers out of what the standard metrics say:
// requests in flight, pools, workers, caches, garbage collection, event loop. Not thread-safe.
#ifndef PLUMB_PLUGINS_PROM_SCRAPE_LAYER_FACTS_H_
#define PLUMB_PLUGINS_PROM_SCRAPE_LAYER_FACTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/prom_scrape/counter_total.h"
#include "plugins/prom_scrape/exposition.h"
#include "plugins/prom_scrape/series_out.h"
#include "plugins/prom_scrape/standard_metrics.h"

namespace plumb::prom_scrape {

class LayerFacts {
 public:
  explicit LayerFacts(SeriesOut& out) : out_(out) {}

  // A handle for a series that is one of the standard metrics; nothing for another, or beyond
  // kMostResources.
  std::optional<uint32_t> recognise(std::string_view sample, const MetricLabels& labels);
  // What it says on the page that is being read. `if_fallen`: how a counter follows on itself that
  // is less than it was. `from_zero`: it is new since the last page.
  void set(uint32_t handle, double value, Continuity continuity, Continuity if_fallen,
           bool from_zero);
  // Emits what the page said, as of `now_ns`; `before_ns` is the time of the page before.
  void emit(int64_t now_ns, int64_t before_ns);
  // Emits how long the counters rested at the end.
  void finish();

  static constexpr size_t kMostResources = 64;
  bool is_full() const { return full_; }

 private:
  static constexpr size_t kQuantities = static_cast<size_t>(Quantity::kEventLoopLag) + 1;
  static constexpr size_t kOutputs = 14;
  // The process itself, or a pool, group of workers or cache of it.
  enum class Kind : uint8_t { kProcess, kPool, kWorkers, kCache };

  struct Reading {
    size_t row = SIZE_MAX;  // of the table: the one that is believed
    bool used = false;      // emitted, so that another row comes too late
    bool from_zero = false;
    std::optional<double> value;  // of this page
  };
  struct Output {
    bool tried = false;
    std::optional<Series> series;
    SparseCounter counter;
  };
  struct Resource {
    Kind kind;
    Scope scope;
    std::string instance;
    std::array<Reading, kQuantities> readings;
    std::array<Output, kOutputs> outputs;
  };
  struct Input {
    size_t row;
    size_t resource;
    CounterTotal total;
    std::optional<double> value;  // of this page; of a counter: the total
    bool known = false;
    bool from_zero = false;
  };

  static Kind kind_of(Quantity quantity);
  Reading& reading_of(const Input& input);
  void sum_up();
  void emit_resource(Resource& resource, int64_t now_ns, int64_t before_ns);
  void gauge(Resource& resource, size_t output, std::optional<double> value, int64_t now_ns);
  void counter(Resource& resource, size_t output, Quantity quantity, int64_t now_ns,
               int64_t before_ns);
  Output* output_of(Resource& resource, size_t output);

  SeriesOut& out_;
  std::vector<Input> inputs_;
  std::vector<Resource> resources_;
  bool full_ = false;
};

}  // namespace plumb::prom_scrape

#endif  // PLUMB_PLUGINS_PROM_SCRAPE_LAYER_FACTS_H_
