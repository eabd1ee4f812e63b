// Series that are declared when they have their first value, and sent in one batch.
#ifndef PLUMB_PLUGINS_PG_STATS_SERIES_BOARD_H_
#define PLUMB_PLUGINS_PG_STATS_SERIES_BOARD_H_

#include <cstdint>
#include <map>
#include <plumb/plugin.hpp>
#include <string>
#include <utility>
#include <vector>

#include "plugins/pg_stats/running_total.h"

namespace plumb::pg_stats {

// What is put between begin() and emit() is one batch. A value that is negative or no number is
// left out. Counters go on from where they were when the server's own start again. Not
// thread-safe.
class SeriesBoard {
 public:
  struct Meaning {
    const char* name;
    const char* unit;
    uint32_t part;
    const char* help;
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  explicit SeriesBoard(Host host) : host_(host) {}
  void begin(int64_t now_ns) {
    now_ns_ = now_ns;
    batch_.clear();
  }
  Status gauge(const Meaning& meaning, double value, const Labels& labels = {});
  // `own`: what the sampler itself has added to the server's counter so far.
  Status counter(const Meaning& meaning, double value, double own = 0, const Labels& labels = {});
  // The counters are another server's from now on: see RunningTotal.
  void restart() {
    for (auto& [key, entry] : entries_) entry.total.restart();
  }
  Status emit() { return batch_.empty() ? Status::ok() : host_.emit(batch_); }

 private:
  struct Entry {
    Series series;
    RunningTotal total;
  };
  Result<Entry*> find(const Meaning& meaning, uint32_t kind, const Labels& labels);

  Host host_;
  std::map<std::string, Entry> entries_;  // by name and label values
  std::string key_;                       // reused
  std::vector<plumb_sample> batch_;
  int64_t now_ns_ = 0;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SERIES_BOARD_H_
