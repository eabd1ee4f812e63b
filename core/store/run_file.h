// A run file: everything one run said, in one SQLite database `<id>.plumb`.
//
// Written once per second in one transaction, so that a killed run loses at most its last second.
// `PRAGMA application_id` is kApplicationId and `PRAGMA user_version` the schema's version. Samples
// are kept as one zstd blob per second (docs/run-file.md has the layout), since that writes and
// reads a thousand series faster than a row each.
#ifndef PLUMB_CORE_STORE_RUN_FILE_H_
#define PLUMB_CORE_STORE_RUN_FILE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/signal/signal.h"

namespace plumb::store {

inline constexpr int32_t kApplicationId = 0x706c6d62;  // "plmb"
inline constexpr int32_t kSchemaVersion = 2;           // 1 had no stacks; it is read as well

// How a run ended. A file whose writer died still says running.
enum class RunState { kRunning, kFinished, kInterrupted, kFailed };
std::string_view run_state_name(RunState state);

// What is known before the first signal.
struct RunHeader {
  std::string id;    // 20261120T104512Z-7f3a
  std::string name;  // of the plan
  int64_t started_unix_ms = 0;
  int64_t started_ns = 0;      // the same instant on the monotonic clock
  nlohmann::json plan;         // resolved, secrets redacted
  nlohmann::json environment;  // machine, versions
  // Texts of the rules that will read this run, so that it is judged the same way years later:
  // [{"origin": "pg_stats/lock.yaml", "text": "..."}]
  nlohmann::json rules = nlohmann::json::array();
};

// Appends to a run file. Safe to call from several threads. Signals are buffered and written by
// `flush`, which the writer's own thread calls once per second; a failed write (full disk) is kept
// as `status()`, what was written stays readable, and later signals are dropped.
class RunWriter final : public SignalSink {
 public:
  // Creates the file and its directory; fails when the file exists.
  static Result<std::unique_ptr<RunWriter>> create(const std::filesystem::path& file,
                                                   const RunHeader& header);
  // Finishes as interrupted when `finish` was not called.
  ~RunWriter() override;
  RunWriter(const RunWriter&) = delete;
  RunWriter& operator=(const RunWriter&) = delete;

  void on_series(const SeriesInfo& series) override;
  void on_samples(const std::vector<Sample>& samples) override;
  void on_histogram(const HistogramRecord& histogram) override;
  void on_event(const Event& event) override;
  void on_table(const TableRecord& table) override;
  void on_stacks(const StackBatch& batch) override;
  void on_health(const HealthChange& change) override;
  void on_stage(const StageSpan& stage);
  // Replaces the list of stages by how they really went.
  void set_stages(const std::vector<StageSpan>& stages);
  // A document kept beside the signals, such as the LLM's "analysis".
  void set_document(const std::string& key, const nlohmann::json& value);

  // Writes what is buffered now.
  Status flush();
  // The first failure to write, or ok.
  Status status() const;
  // Flushes, records the state, compacts to a single file. Idempotent.
  Status finish(RunState state);

 private:
  class Impl;
  explicit RunWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// One series with all it said, in time order.
struct SeriesData {
  SeriesInfo info;
  std::vector<int64_t> times_ns;
  std::vector<double> values;
  std::vector<HistogramRecord> histograms;
};

// Gives every batch of stacks to `take` in the order they were written, one in memory at a time;
// stops at the first failure and gives it back.
using StackReader = std::function<Status(const std::function<Status(const StackBatch&)>& take)>;

// A whole run in memory, but for its stacks.
struct RunData {
  RunHeader header;
  RunState state = RunState::kRunning;
  int64_t ended_ns = 0;  // of the last thing said
  std::vector<StageSpan> stages;
  std::vector<SeriesData> series;
  std::vector<Event> events;
  std::vector<TableRecord> tables;  // the last of each name
  std::vector<HealthChange> health;
  std::map<std::string, nlohmann::json> documents;
  // Reads the stacks from the file, which must still be there; empty for a run without any.
  StackReader stacks;
};

// Reads a run file whole, also one whose writer was killed or is still writing.
Result<RunData> read_run(const std::filesystem::path& file);

// The header, state, stages and documents alone, with `stacks`: for lists of many runs.
Result<RunData> read_run_header(const std::filesystem::path& file);

// Adds or replaces a document in a finished run file.
Status put_document(const std::filesystem::path& file, const std::string& key,
                    const nlohmann::json& value);

}  // namespace plumb::store

#endif  // PLUMB_CORE_STORE_RUN_FILE_H_
