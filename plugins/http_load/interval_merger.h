// Puts together what several workers record: their intervals have the same cuts, since all cut by
// the stages. Histograms merge without loss; counters add up.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_INTERVAL_MERGER_H_
#define PLUMB_PLUGINS_HTTP_LOAD_INTERVAL_MERGER_H_

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "plugins/http_load/recorder.h"

namespace plumb::http_load {

class IntervalMerger {
 public:
  IntervalMerger(size_t workers, size_t endpoints, int64_t start_ns);
  ~IntervalMerger();

  // Where worker `index` hands its intervals over, on its own thread.
  IntervalSink& sink(size_t index);
  // Worker `index` has handed over its last one. On any thread.
  void finished(size_t index);
  // Hands on what is complete, in order, until all workers have finished. On one thread, which is
  // the only one that calls `sink`.
  void run(IntervalSink& sink);

 private:
  class WorkerSink;
  // The running figures of one worker, as of one of its cuts.
  struct Figures {
    std::vector<Outcome> outcomes;
    std::vector<Endings> endings;
    Totals totals;
  };
  // What one cut came to, over all workers that have passed it.
  struct Merged {
    std::vector<EndpointInterval> endpoints;
    std::vector<std::optional<Figures>> figures;  // by worker
  };
  struct Worker {
    int64_t passed_ns = 0;
    bool finished = false;
    Figures last;
  };

  void take(size_t index, const Interval& interval);
  bool has_complete() const;
  void hand_on(int64_t end_ns, const Merged& merged, IntervalSink& sink);
  void add_outcomes(const Figures& figures);

  const size_t endpoints_;
  int64_t start_ns_;  // of the next interval to hand on
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<WorkerSink>> sinks_;
  std::vector<Worker> workers_;
  std::map<int64_t, Merged> cuts_;  // by their end
  std::vector<Outcome> outcomes_;   // of all; only ever grows
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_INTERVAL_MERGER_H_
