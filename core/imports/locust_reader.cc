// locust --csv PREFIX: PREFIX_stats_history.csv, a row each second, and PREFIX_stats.csv, a row for
// each endpoint at the end. Neither has single requests: percentiles are Locust's own.
#include <algorithm>
#include <map>

#include "core/imports/csv_reader.h"
#include "core/imports/endpoint_name.h"
#include "core/imports/formats.h"

namespace plumb::imports {
namespace {

constexpr std::string_view kAggregated = "Aggregated";

struct LocustPercentile {
  std::string_view column;
  std::string_view fact;
};
constexpr std::array<LocustPercentile, 5> kLocustPercentiles = {{{"50%", "latency.p50"},
                                                                 {"90%", "latency.p90"},
                                                                 {"95%", "latency.p95"},
                                                                 {"99%", "latency.p99"},
                                                                 {"99.9%", "latency.p999"}}};

// The totals of one endpoint, or of all, by the names of facts; counts as they are, times in
// seconds.
using LocustTotals = std::map<std::string, double>;

std::string locust_unit(std::string_view fact) {
  if (fact.starts_with("latency.")) return "seconds";
  if (fact == "requests.rate") return "requests/s";
  return fact == "requests.error_rate" ? "ratio" : "requests";
}

void tell_totals(Sink& sink, const std::string& endpoint, const LocustTotals& totals) {
  for (const auto& [name, value] : totals) sink.on_fact({name, value, locust_unit(name), endpoint});
}

// Reads what rows of both files have, under the names that each gives it.
class LocustRow {
 public:
  LocustRow(const CsvHeader& header, const std::vector<CsvCell>& cells)
      : header_(header), cells_(cells) {}

  const CsvCell* cell(std::string_view column) const {
    const auto index = header_.index(column);
    return index ? &cells_[*index] : nullptr;
  }

  std::optional<Problem> counts(std::string_view requests, std::string_view failures,
                                LocustTotals& out) const {
    uint64_t all = 0;
    uint64_t failed = 0;
    if (auto problem = count(requests, all)) return problem;
    if (auto problem = count(failures, failed)) return problem;
    if (failed > all)
      return misread(failures, *cell(failures),
                     "a number that is at most " + std::string(requests));
    out["requests.count"] = static_cast<double>(all);
    out["requests.failed"] = static_cast<double>(failed);
    if (all > 0)
      out["requests.error_rate"] = static_cast<double>(failed) / static_cast<double>(all);
    return std::nullopt;
  }

  // Milliseconds under `column`; nothing is added for N/A and for a column that is not there.
  std::optional<Problem> time(std::string_view column, std::string_view fact,
                              LocustTotals& out) const {
    const CsvCell* found = cell(column);
    if (found == nullptr || found->text == "N/A" || found->text.empty()) return std::nullopt;
    int64_t ns = 0;
    if (auto problem = read_duration(column, *found, 1e6, ns)) return problem;
    out[std::string(fact)] = static_cast<double>(ns) / 1e9;
    return std::nullopt;
  }

  std::optional<Problem> percentiles(LocustTotals& out) const {
    for (const LocustPercentile& percentile : kLocustPercentiles)
      if (auto problem = time(percentile.column, percentile.fact, out)) return problem;
    return std::nullopt;
  }

 private:
  std::optional<Problem> count(std::string_view column, uint64_t& out) const {
    const CsvCell* found = cell(column);
    if (found == nullptr)
      return Problem{1, "the header has no column '" + std::string(column) + "'"};
    return read_count(column, *found, out);
  }

  const CsvHeader& header_;
  const std::vector<CsvCell>& cells_;
};

// What both readers share: whom a row is about.
class LocustReader : public CsvReader {
 public:
  explicit LocustReader(Sink& sink) : sink_(sink) {}

 protected:
  // `endpoint` is empty for the row of all.
  virtual std::optional<Problem> row(const LocustRow& row, const std::string& endpoint) = 0;
  Sink& sink() { return sink_; }

 private:
  std::optional<Problem> header_read() override { return need_column(header(), "Name", name_); }

  std::optional<Problem> row_read(const std::vector<CsvCell>& cells) override {
    const LocustRow row(header(), cells);
    const CsvCell* type = row.cell("Type");
    const bool all = cells[name_].text == kAggregated;
    return this->row(
        row, all ? "" : endpoint_of_url(type != nullptr ? type->text : "", cells[name_].text));
  }

  Sink& sink_;
  size_t name_ = 0;
};

class LocustHistory final : public LocustReader {
 public:
  using LocustReader::LocustReader;

  std::optional<Problem> finish() override {
    if (rows_ < 2 || last_[""]["requests.count"] == 0)
      return Problem{0, "there are no two rows of requests in it"};
    sink().on_span(first_ns_, last_ns_);
    const double seconds = static_cast<double>(last_ns_ - first_ns_) / 1e9;
    const bool by_endpoint = last_.size() > 1;
    for (auto& [endpoint, totals] : last_) {
      if (seconds > 0) totals["requests.rate"] = totals["requests.count"] / seconds;
      // With endpoints (--csv-full-history) percentiles are of the last seconds of each row.
      if (by_endpoint)
        std::erase_if(totals, [](const auto& fact) { return fact.first.starts_with("latency.p"); });
      tell_totals(sink(), endpoint, totals);
    }
    sink().on_note(
        by_endpoint
            ? "Locust's full history has no percentiles of the whole run; its _stats.csv has."
            : "Locust's history holds totals since its start: percentiles and counts are of the "
              "whole run, ramp-up included, and failed requests are in its latencies.",
        true);
    return std::nullopt;
  }

 private:
  std::optional<Problem> row(const LocustRow& row, const std::string& endpoint) override {
    const CsvCell* stamp = row.cell("Timestamp");
    if (stamp == nullptr) return Problem{1, "the header has no column 'Timestamp'"};
    int64_t time_ns = 0;
    if (auto problem = read_time("Timestamp", *stamp, time_ns)) return problem;
    LocustTotals totals;
    if (auto problem = row.counts("Total Request Count", "Total Failure Count", totals))
      return problem;
    if (auto problem = row.time("Total Average Response Time", "latency.mean", totals))
      return problem;
    if (auto problem = row.time("Total Max Response Time", "latency.max", totals)) return problem;
    if (auto problem = row.percentiles(totals)) return problem;
    first_ns_ = rows_ == 0 ? time_ns : std::min(first_ns_, time_ns);
    last_ns_ = rows_ == 0 ? time_ns : std::max(last_ns_, time_ns);
    ++rows_;
    if (endpoint.empty()) {
      const CsvCell* users = row.cell("User Count");
      const auto count = users != nullptr ? parse_finite(users->text) : std::nullopt;
      if (count && *count >= 0) sink().on_gauge("load_users", "users", time_ns, *count);
      gauge(row, "Requests/s", "locust_requests_rate", time_ns);
      gauge(row, "Failures/s", "locust_failures_rate", time_ns);
    }
    if (last_.size() < kMostEndpoints || last_.contains(endpoint))
      last_[endpoint] = std::move(totals);
    return std::nullopt;
  }

  void gauge(const LocustRow& row, std::string_view column, std::string_view name,
             int64_t time_ns) {
    const CsvCell* cell = row.cell(column);
    const auto value = cell != nullptr ? parse_finite(trimmed(cell->text)) : std::nullopt;
    if (value) sink().on_gauge(name, "requests/s", time_ns, *value);
  }

  static constexpr size_t kMostEndpoints = 200;
  std::map<std::string, LocustTotals> last_;  // by endpoint; "" is all
  int64_t first_ns_ = 0;
  int64_t last_ns_ = 0;
  uint64_t rows_ = 0;
};

class LocustStats final : public LocustReader {
 public:
  using LocustReader::LocustReader;

  std::optional<Problem> finish() override {
    if (requests_ == 0) return Problem{0, "there is no row 'Aggregated' with requests in it"};
    const auto length = rate_ > 0 ? duration_ns(requests_ / rate_, 1e9) : std::nullopt;
    if (!length)
      return Problem{0,
                     "how long the run took cannot be told: Requests/s of 'Aggregated' does not "
                     "fit its Request Count"};
    sink().on_span(0, *length);
    sink().on_note(
        "Locust's _stats.csv is a summary of the whole run, ramp-up included: there is no course "
        "over time, and failed requests are in its latencies.",
        true);
    return std::nullopt;
  }

 private:
  std::optional<Problem> row(const LocustRow& row, const std::string& endpoint) override {
    LocustTotals totals;
    if (auto problem = row.counts("Request Count", "Failure Count", totals)) return problem;
    if (auto problem = row.time("Average Response Time", "latency.mean", totals)) return problem;
    if (auto problem = row.time("Max Response Time", "latency.max", totals)) return problem;
    if (auto problem = row.percentiles(totals)) return problem;
    const CsvCell* rate = row.cell("Requests/s");
    const auto value = rate != nullptr ? parse_finite(rate->text) : std::nullopt;
    if (value && *value > 0) totals["requests.rate"] = *value;
    if (endpoint.empty()) {
      requests_ = totals["requests.count"];
      rate_ = value.value_or(0);
    }
    tell_totals(sink(), endpoint, totals);
    return std::nullopt;
  }

  double requests_ = 0;
  double rate_ = 0;
};

bool is_locust_history(const std::vector<std::string>& head, const ReaderOptions&) {
  return !head.empty() && head.front().find("Timestamp") < 2 &&
         head.front().find("User Count") != std::string::npos &&
         head.front().find("Total Request Count") != std::string::npos;
}

bool is_locust_stats(const std::vector<std::string>& head, const ReaderOptions&) {
  return !head.empty() && head.front().find("Type") < 2 &&
         head.front().find("Request Count") != std::string::npos &&
         head.front().find("Median Response Time") != std::string::npos;
}

}  // namespace

Format locust_history_format() {
  return {.name = "locust-history",
          .tool = "locust",
          .title = "Locust CSV (PREFIX_stats_history.csv)",
          .recognises = is_locust_history,
          .make = [](Sink& sink, const ReaderOptions&) -> std::unique_ptr<Reader> {
            return std::make_unique<LocustHistory>(sink);
          }};
}

Format locust_stats_format() {
  return {.name = "locust-stats",
          .tool = "locust",
          .title = "Locust CSV (PREFIX_stats.csv)",
          .has_clock = false,
          .recognises = is_locust_stats,
          .make = [](Sink& sink, const ReaderOptions&) -> std::unique_ptr<Reader> {
            return std::make_unique<LocustStats>(sink);
          }};
}

}  // namespace plumb::imports
