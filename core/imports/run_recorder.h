// Makes a run file of what a reader tells: histograms by second, endpoint and outcome.
#ifndef PLUMB_CORE_IMPORTS_RUN_RECORDER_H_
#define PLUMB_CORE_IMPORTS_RUN_RECORDER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/imports/load_shape.h"
#include "core/imports/reader.h"
#include "core/store/run_file.h"

namespace plumb::imports {

// Memory is bounded: at most a million values are held, then they go to the file, and a request
// that comes late opens its second again. Endpoints beyond 200 are kept as one. Not thread-safe.
class RunRecorder final : public Sink {
 public:
  // Makes the file when the time of the first request is known. Both times as requests have them.
  using Create =
      std::function<Result<std::unique_ptr<store::RunWriter>>(int64_t start_ns, int64_t end_ns)>;
  // `tool` is what series and facts give as their source.
  RunRecorder(std::string tool, Create create)
      : tool_(std::move(tool)), create_(std::move(create)) {}

  void on_request(const Request& request) override;
  void on_gauge(std::string_view name, std::string_view unit, int64_t time_ns,
                double value) override;
  void on_fact(const ToldFact& fact) override { facts_.push_back(fact); }
  void on_span(int64_t start_ns, int64_t end_ns) override;
  void on_note(const std::string& sentence, bool limits) override;
  void on_target(std::string_view url) override { target_ = url; }

  // The first failure: of writing, or that the times cannot be right. Ask after each line.
  const Status& status() const { return status_; }
  const std::string& target() const { return target_; }
  uint64_t requests() const { return requests_; }

  // Writes the rest and the stages, and closes the file. INVALID_ARGUMENT when `steady` lies behind
  // the end, or cannot be cut out of what was told.
  Status finish(const std::optional<std::pair<double, double>>& steady);

 private:
  struct Failures {
    uint64_t count = 0;
    std::string example;
  };
  using FailureKey =
      std::pair<std::pair<std::string, int>, std::string>;  // endpoint, status, class

  // The first of an endpoint's series.
  uint32_t series_of(std::string_view endpoint);
  void declare_endpoint(const std::string& endpoint);
  void keep(uint32_t series, int64_t second, int64_t value_ns);
  void count_failure(const Request& request);
  void cover(int64_t start_ns, int64_t end_ns);
  Status check_steady(const std::pair<double, double>& steady);
  Status write_held();
  void write_connections();
  void write_summary(int64_t end_ns);
  void write_errors(int64_t end_ns);

  std::string tool_;
  Create create_;
  std::unique_ptr<store::RunWriter> writer_;
  Status status_;
  std::vector<SeriesInfo> series_;
  size_t declared_ = 0;  // of series_, to the writer
  std::map<std::string, uint32_t, std::less<>> endpoints_;
  std::map<std::string, uint32_t, std::less<>> gauges_;
  std::map<std::pair<int64_t, uint32_t>, std::vector<uint64_t>> held_;  // by second and series
  size_t held_values_ = 0;
  std::vector<Sample> samples_;
  LoadShape shape_;
  std::map<int64_t, uint64_t> opened_;  // connections by second, where connecting is told
  bool covered_ = false;
  std::map<FailureKey, Failures> failures_;
  std::vector<ToldFact> facts_;
  std::vector<std::pair<std::string, bool>> notes_;
  std::string target_;
  uint64_t requests_ = 0;
  bool endpoints_folded_ = false;
};

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_RUN_RECORDER_H_
