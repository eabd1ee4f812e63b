// h2load's text. As with wrk there are no single requests; newer versions print percentiles.
#include <algorithm>
#include <map>

#include "core/imports/formats.h"
#include "core/imports/summary_text.h"

namespace plumb::imports {
namespace {

class H2loadText final : public Reader {
 public:
  explicit H2loadText(Sink& sink) : sink_(sink) {}

  std::optional<Problem> line(std::string_view text) override {
    const auto words = words_of(text);
    if (words.size() < 3) return std::nullopt;
    if (words[0].text == "finished" && words[1].text == "in") return finished(words);
    if (words[0].text == "requests:") return requests(words);
    if (words[0].text == "min") return columns(words);
    if (text.starts_with("time for request:")) return times(words);
    // 1.66 and later name it so.
    if (text.starts_with("request     :")) return times(words);
    return std::nullopt;
  }

  std::optional<Problem> finish() override {
    if (!finished_) return Problem{0, "the line 'finished in' is not there: h2load did not finish"};
    const uint64_t ended = done_ + errored_;
    if (ended == 0) return Problem{0, "no request ended"};
    const auto failed = static_cast<double>(std::min(failed_, ended));
    const auto tell = [&](const char* name, double value, const char* unit) {
      sink_.on_fact({name, value, unit});
    };
    tell("requests.count", static_cast<double>(ended), "requests");
    tell("requests.failed", failed, "requests");
    tell("requests.error_rate", failed / static_cast<double>(ended), "ratio");
    if (rate_) tell("requests.rate", *rate_, "requests/s");
    for (const auto& [name, seconds] : times_) tell(name.c_str(), seconds, "seconds");
    sink_.on_span(0, static_cast<int64_t>(seconds_ * 1e9));
    sink_.on_note(
        std::string("h2load prints a summary only: there is no course over time and no endpoint, "
                    "and its times begin when a request was sent") +
            (times_.contains("latency.p95") ? "." : "; percentiles are unknown."),
        true);
    return std::nullopt;
  }

 private:
  // finished in 3.03s, 65.96 req/s, 7.95KB/s
  std::optional<Problem> finished(const std::vector<CsvCell>& words) {
    if (auto problem = read_told_duration("the time it took", words[2], seconds_)) return problem;
    if (seconds_ <= 0) return misread("the time it took", words[2], "more than zero");
    if (words.size() > 3) {
      rate_ = parse_finite(words[3].text);
      if (!rate_ || *rate_ < 0) return misread("the rate", words[3], "a number of zero or more");
    }
    finished_ = true;
    return std::nullopt;
  }

  // requests: 200 total, 200 started, 200 done, 195 succeeded, 5 failed, 0 errored, 0 timeout
  std::optional<Problem> requests(const std::vector<CsvCell>& words) {
    for (size_t i = 1; i + 1 < words.size(); i += 2) {
      uint64_t count = 0;
      if (auto problem = read_count("the number of requests", words[i], count)) return problem;
      if (words[i + 1].text == "done") done_ = count;
      // Errored requests are counted as failed too.
      if (words[i + 1].text == "failed") failed_ = count;
      if (words[i + 1].text == "errored") errored_ = count;
    }
    return std::nullopt;
  }

  std::optional<Problem> columns(const std::vector<CsvCell>& words) {
    columns_.clear();
    for (const CsvCell& word : words) columns_.emplace_back(word.text);
    return std::nullopt;
  }

  // Figures under their columns, behind the colon.
  std::optional<Problem> times(const std::vector<CsvCell>& words) {
    static const std::map<std::string, const char*> kFacts = {{"mean", "latency.mean"},
                                                              {"max", "latency.max"},
                                                              {"median", "latency.p50"},
                                                              {"p95", "latency.p95"},
                                                              {"p99", "latency.p99"}};
    const auto colon = std::find_if(words.begin(), words.end(),
                                    [](const CsvCell& word) { return word.text.ends_with(':'); });
    if (colon == words.end() || !times_.empty()) return std::nullopt;
    const auto first = static_cast<size_t>(colon - words.begin()) + 1;
    for (size_t i = 0; i < columns_.size() && first + i < words.size(); ++i) {
      const auto fact = kFacts.find(columns_[i]);
      if (fact == kFacts.end()) continue;
      if (auto problem = read_told_duration(columns_[i], words[first + i], times_[fact->second]))
        return problem;
    }
    return std::nullopt;
  }

  Sink& sink_;
  std::vector<std::string> columns_;
  std::map<std::string, double> times_;  // seconds by fact
  uint64_t done_ = 0;
  uint64_t failed_ = 0;
  uint64_t errored_ = 0;
  double seconds_ = 0;
  std::optional<double> rate_;
  bool finished_ = false;
};

bool is_h2load(const std::vector<std::string>& head, const ReaderOptions&) {
  for (const std::string& line : head)
    if (line == "starting benchmark..." ||
        (line.starts_with("finished in ") && line.find(" req/s, ") != std::string::npos))
      return true;
  return false;
}

}  // namespace

Format h2load_format() {
  return {.name = "h2load",
          .tool = "h2load",
          .title = "h2load text",
          .has_clock = false,
          .recognises = is_h2load,
          .make = [](Sink& sink, const ReaderOptions&) -> std::unique_ptr<Reader> {
            return std::make_unique<H2loadText>(sink);
          }};
}

}  // namespace plumb::imports
