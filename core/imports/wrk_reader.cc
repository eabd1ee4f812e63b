// wrk's and wrk2's text. There are no single requests in it: what wrk computed becomes facts, and
// percentiles that it did not print stay unknown.
#include <algorithm>
#include <map>

#include "core/imports/endpoint_name.h"
#include "core/imports/formats.h"
#include "core/imports/summary_text.h"

namespace plumb::imports {
namespace {

class WrkText final : public Reader {
 public:
  explicit WrkText(Sink& sink) : sink_(sink) {}

  std::optional<Problem> line(std::string_view text) override {
    const auto words = words_of(text);
    if (words.size() < 2) return std::nullopt;
    const std::string_view first = words[0].text;
    if (first == "Running") return target(words);
    if (first == "Latency" && words.size() >= 4) return latency(words);
    if (first.ends_with('%') && words.size() == 2) return percentile(words);
    if (words.size() >= 4 && words[1].text == "requests" && words[2].text == "in")
      return totals(words);
    if (first == "Socket" && words.size() >= 10) return socket_errors(words);
    if (first == "Non-2xx" && words.size() >= 5)
      return read_count("Non-2xx or 3xx responses", words.back(), refused_);
    if (first == "Requests/sec:") return rate(words);
    return std::nullopt;
  }

  std::optional<Problem> finish() override {
    if (!complete_)
      return Problem{0, "the line '<n> requests in <time>' is not there: wrk did not finish"};
    const uint64_t ended = answered_ + unanswered_;
    if (ended == 0) return Problem{0, "there is no request in it"};
    const uint64_t failed = std::min(ended, refused_ + late_ + unanswered_);
    const auto tell = [&](const char* name, double value, const char* unit) {
      sink_.on_fact({name, value, unit});
    };
    tell("requests.count", static_cast<double>(ended), "requests");
    tell("requests.failed", static_cast<double>(failed), "requests");
    tell("requests.error_rate", static_cast<double>(failed) / static_cast<double>(ended), "ratio");
    tell("requests.rate", rate_ ? *rate_ : static_cast<double>(answered_) / seconds_, "requests/s");
    for (const auto& [name, seconds] : times_) sink_.on_fact({name, seconds, "seconds"});
    sink_.on_span(0, static_cast<int64_t>(seconds_ * 1e9));
    tell_limits();
    return std::nullopt;
  }

 private:
  void tell_limits() {
    std::string note =
        "wrk prints a summary only: there is no course over time, no endpoint, and its latencies "
        "include answers that failed";
    note += times_.contains("latency.p50")
                ? "; percentiles other than p50, p90 and p99 (and, of wrk2, p999) are unknown."
                : "; percentiles are unknown, since it ran without --latency.";
    sink_.on_note(note, true);
    if (late_ > 0)
      sink_.on_note("Answers that came after wrk's timeout (" + std::to_string(late_) +
                        ") are in none of its latencies.",
                    true);
  }

  std::optional<Problem> target(const std::vector<CsvCell>& words) {
    const std::string origin = origin_of_url(words.back().text);
    if (!origin.empty()) sink_.on_target(origin);
    return std::nullopt;
  }

  // Latency Avg Stdev Max +/-
  std::optional<Problem> latency(const std::vector<CsvCell>& words) {
    if (words[1].text == "Distribution") return std::nullopt;
    if (auto problem = read_told_duration("the mean latency", words[1], times_["latency.mean"]))
      return problem;
    return read_told_duration("the longest latency", words[3], times_["latency.max"]);
  }

  std::optional<Problem> percentile(const std::vector<CsvCell>& words) {
    static const std::map<double, const char*> kFacts = {{50, "latency.p50"},
                                                         {90, "latency.p90"},
                                                         {95, "latency.p95"},
                                                         {99, "latency.p99"},
                                                         {99.9, "latency.p999"}};
    std::string_view written = words[0].text;
    written.remove_suffix(1);
    const auto percent = parse_finite(written);
    if (!percent) return misread("the percentile", words[0], "a number and %");
    const auto known = kFacts.find(*percent);
    if (known == kFacts.end()) return std::nullopt;
    return read_told_duration("the percentile", words[1], times_[known->second]);
  }

  std::optional<Problem> totals(const std::vector<CsvCell>& words) {
    if (auto problem = read_count("the number of requests", words[0], answered_)) return problem;
    if (auto problem = read_told_duration("the time it took", words[3], seconds_)) return problem;
    if (seconds_ <= 0) return misread("the time it took", words[3], "more than zero");
    complete_ = true;
    return std::nullopt;
  }

  // Socket errors: connect 0, read 3, write 0, timeout 12
  std::optional<Problem> socket_errors(const std::vector<CsvCell>& words) {
    for (size_t i = 2; i + 1 < words.size(); i += 2) {
      uint64_t count = 0;
      if (auto problem = read_count(words[i].text, words[i + 1], count)) return problem;
      // A timeout of wrk is an answer that came late, and is among its requests.
      (words[i].text == "timeout" ? late_ : unanswered_) += count;
    }
    return std::nullopt;
  }

  std::optional<Problem> rate(const std::vector<CsvCell>& words) {
    rate_ = parse_finite(words[1].text);
    if (!rate_ || *rate_ < 0) return misread("Requests/sec", words[1], "a number");
    return std::nullopt;
  }

  Sink& sink_;
  std::map<std::string, double> times_;  // seconds by fact
  uint64_t answered_ = 0;
  uint64_t refused_ = 0;     // by their status
  uint64_t late_ = 0;        // answered after the timeout
  uint64_t unanswered_ = 0;  // errors of sockets
  double seconds_ = 0;
  std::optional<double> rate_;
  bool complete_ = false;
};

bool is_wrk(const std::vector<std::string>& head, const ReaderOptions&) {
  for (const std::string& line : head)
    if (line.starts_with("Running ") && line.find(" test @ ") != std::string::npos) return true;
  return false;
}

}  // namespace

Format wrk_format() {
  return {.name = "wrk",
          .tool = "wrk",
          .title = "wrk text (wrk --latency)",
          .has_clock = false,
          .recognises = is_wrk,
          .make = [](Sink& sink, const ReaderOptions&) -> std::unique_ptr<Reader> {
            return std::make_unique<WrkText>(sink);
          }};
}

}  // namespace plumb::imports
