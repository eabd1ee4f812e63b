// hey -o csv: a row for each request that got an answer, in seconds since the start.
#include <algorithm>

#include "core/imports/csv_value.h"
#include "core/imports/endpoint_name.h"
#include "core/imports/formats.h"

namespace plumb::imports {
namespace {

constexpr std::array<std::string_view, 8> kHeyColumns = {
    "response-time",  "DNS+dialup",    "DNS",         "Request-write",
    "Response-delay", "Response-read", "status-code", "offset"};
enum HeyColumn : size_t {
  kHeyTotal,
  kHeyDial,
  kHeyDns,
  kHeyWrite,
  kHeyDelay,
  kHeyRead,
  kHeyStatus,
  kHeyOffset
};

class HeyCsv final : public Reader {
 public:
  HeyCsv(Sink& sink, const ReaderOptions& options)
      : sink_(sink), endpoint_(options.url.empty() ? "all" : endpoint_of_url("", options.url)) {}

  std::optional<Problem> line(std::string_view text) override {
    // hey's fields are never quoted.
    if (!record_.add(text)) return Problem{0, "a quote is not expected"};
    const auto& cells = record_.cells();
    if (header_.empty()) {
      header_ = CsvHeader(cells);
      for (size_t i = 0; i < kHeyColumns.size(); ++i)
        if (auto problem = need_column(header_, kHeyColumns[i], columns_[i])) return problem;
      return std::nullopt;
    }
    if (is_blank(cells)) return std::nullopt;
    if (cells.size() != header_.size()) return wrong_width(cells.size(), header_);
    return request(cells);
  }

  std::optional<Problem> finish() override {
    if (requests_ == 0) return Problem{0, "there is no request in it"};
    sink_.on_note(
        "hey writes only requests that got an answer, at most the first million, in steps of 0.1 "
        "ms: those that failed without an answer are in no figure.",
        true);
    return std::nullopt;
  }

 private:
  std::optional<Problem> request(const std::vector<CsvCell>& cells) {
    std::array<int64_t, 8> ns{};
    for (size_t i = 0; i < kHeyColumns.size(); ++i)
      if (i != kHeyStatus)
        if (auto problem = read_duration(kHeyColumns[i], cells[columns_[i]], 1e9, ns[i]))
          return problem;
    uint64_t status = 0;
    if (auto problem = read_count("status-code", cells[columns_[kHeyStatus]], status))
      return problem;
    Request out;
    out.endpoint = endpoint_;
    out.end_ns = ns[kHeyOffset] + ns[kHeyTotal];
    out.response_ns = ns[kHeyTotal];
    out.service_ns = std::max<int64_t>(0, ns[kHeyTotal] - ns[kHeyDial]);
    out.status = static_cast<int>(std::min<uint64_t>(status, 999));
    out.failed = status >= 400;
    if (out.failed) out.error_class = "status";
    out.phases[kDns] = ns[kHeyDns];
    out.phases[kConnect] = std::max<int64_t>(0, ns[kHeyDial] - ns[kHeyDns]);
    out.phases[kSend] = ns[kHeyWrite];
    out.phases[kWait] = ns[kHeyDelay];
    out.phases[kTransfer] = ns[kHeyRead];
    ++requests_;
    sink_.on_request(out);
    return std::nullopt;
  }

  Sink& sink_;
  std::string endpoint_;
  CsvRecord record_;
  CsvHeader header_;
  std::array<size_t, 8> columns_{};
  uint64_t requests_ = 0;
};

bool is_hey_csv(const std::vector<std::string>& head, const ReaderOptions&) {
  return !head.empty() && head.front().starts_with("response-time,DNS+dialup,DNS,");
}

}  // namespace

Format hey_csv_format() {
  return {.name = "hey-csv",
          .tool = "hey",
          .title = "hey CSV (hey -o csv)",
          .has_clock = false,
          .recognises = is_hey_csv,
          .make = [](Sink& sink, const ReaderOptions& options) -> std::unique_ptr<Reader> {
            return std::make_unique<HeyCsv>(sink, options);
          }};
}

}  // namespace plumb::imports
