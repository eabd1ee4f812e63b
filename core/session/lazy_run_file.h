// The run file of a run that may yet fail to begin: it is created by the first signal, and taken
// away again when the run never sent load.
#ifndef PLUMB_CORE_SESSION_LAZY_RUN_FILE_H_
#define PLUMB_CORE_SESSION_LAZY_RUN_FILE_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <plumb/status.hpp>
#include <vector>

#include "core/base/mutex.h"
#include "core/signal/signal.h"
#include "core/store/run_file.h"

namespace plumb::session {

// Thread-safe.
class LazyRunFile final : public SignalSink {
 public:
  // `header` is called once, when the file is created.
  LazyRunFile(std::filesystem::path file, std::function<store::RunHeader()> header)
      : file_(std::move(file)), header_(std::move(header)) {}

  void on_series(const SeriesInfo& series) override;
  void on_samples(const std::vector<Sample>& samples) override;
  void on_histogram(const HistogramRecord& histogram) override;
  void on_event(const Event& event) override;
  void on_table(const TableRecord& table) override;
  void on_stacks(const StackBatch& batch) override;
  void on_health(const HealthChange& change) override;
  void on_stage(const StageSpan& stage);

  // Closes the file with the stages as they went. The first failure to create or write it.
  Status finish(store::RunState state, const std::vector<StageSpan>& stages);
  // Closes and removes it.
  void discard();

 private:
  // Null when the file could not be created.
  store::RunWriter* writer() PLUMB_EXCLUDES(mutex_);

  const std::filesystem::path file_;
  const std::function<store::RunHeader()> header_;
  Mutex mutex_;
  std::unique_ptr<store::RunWriter> writer_ PLUMB_GUARDED_BY(mutex_);
  Status failure_ PLUMB_GUARDED_BY(mutex_);
};

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_LAZY_RUN_FILE_H_
