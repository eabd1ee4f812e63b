#include "core/session/lazy_run_file.h"

#include <system_error>

namespace plumb::session {

store::RunWriter* LazyRunFile::writer() {
  const MutexLock lock(mutex_);
  if (writer_ == nullptr && failure_.is_ok()) {
    auto created = store::RunWriter::create(file_, header_());
    if (created.is_ok())
      writer_ = std::move(created).value();
    else
      failure_ = created.status();
  }
  return writer_.get();
}

void LazyRunFile::on_series(const SeriesInfo& series) {
  if (auto* to = writer()) to->on_series(series);
}
void LazyRunFile::on_samples(const std::vector<Sample>& samples) {
  if (auto* to = writer()) to->on_samples(samples);
}
void LazyRunFile::on_histogram(const HistogramRecord& histogram) {
  if (auto* to = writer()) to->on_histogram(histogram);
}
void LazyRunFile::on_event(const Event& event) {
  if (auto* to = writer()) to->on_event(event);
}
void LazyRunFile::on_table(const TableRecord& table) {
  if (auto* to = writer()) to->on_table(table);
}
void LazyRunFile::on_stacks(const StackBatch& batch) {
  if (auto* to = writer()) to->on_stacks(batch);
}
void LazyRunFile::on_health(const HealthChange& change) {
  if (auto* to = writer()) to->on_health(change);
}
void LazyRunFile::on_stage(const StageSpan& stage) {
  if (auto* to = writer()) to->on_stage(stage);
}

Status LazyRunFile::finish(store::RunState state, const std::vector<StageSpan>& stages) {
  auto* to = writer();
  const MutexLock lock(mutex_);
  if (to == nullptr) return failure_;
  to->set_stages(stages);
  PLUMB_RETURN_IF_ERROR(to->finish(state));
  return to->status();
}

void LazyRunFile::discard() {
  const MutexLock lock(mutex_);
  if (writer_ == nullptr) return;
  writer_.reset();
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code ignored;
    std::filesystem::remove(file_.string() + suffix, ignored);
  }
}

}  // namespace plumb::session
