// Gives out the ids of series, unique within a run. Safe to use on any thread.
#ifndef PLUMB_CORE_ENGINE_SERIES_IDS_H_
#define PLUMB_CORE_ENGINE_SERIES_IDS_H_

#include <atomic>
#include <cstdint>

namespace plumb::engine {

class SeriesIds {
 public:
  // 1, 2, ...
  uint32_t next() { return ++last_; }

 private:
  std::atomic<uint32_t> last_{0};
};

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_SERIES_IDS_H_
