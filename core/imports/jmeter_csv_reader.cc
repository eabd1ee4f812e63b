// JMeter's results as CSV with a header (.jtl).
#include "core/imports/csv_value.h"
#include "core/imports/formats.h"
#include "core/imports/jmeter_sample.h"

namespace plumb::imports {
namespace {

constexpr double kJmeterUnitNs = 1e6;

class JmeterCsv final : public Reader {
 public:
  explicit JmeterCsv(Sink& sink) : samples_(sink) {}

  std::optional<Problem> line(std::string_view text) override {
    if (header_.empty() && text.find(',') == std::string_view::npos) delimiter_from(text);
    if (!record_.add(text)) {
      if (record_.too_long()) return Problem{0, "a quoted field has no closing quote"};
      return std::nullopt;
    }
    const auto& cells = record_.cells();
    if (header_.empty()) {
      header_ = CsvHeader(cells);
      if (auto problem = need_column(header_, "timeStamp", time_)) return problem;
      if (auto problem = need_column(header_, "elapsed", elapsed_)) return problem;
      return need_column(header_, "label", label_);
    }
    if (is_blank(cells)) return std::nullopt;
    if (cells.size() != header_.size()) return wrong_width(cells.size(), header_);
    return sample(cells);
  }

  std::optional<Problem> finish() override {
    if (record_.is_open()) return Problem{0, "a quoted field has no closing quote"};
    return samples_.finish();
  }

 private:
  // jmeter.save.saveservice.default_delimiter may be another.
  void delimiter_from(std::string_view header) {
    for (const char c : {'\t', ';', '|'})
      if (header.find(c) != std::string_view::npos) record_ = CsvRecord(c);
  }

  std::optional<Problem> sample(const std::vector<CsvCell>& cells) {
    const auto cell = [&](std::string_view name) -> const CsvCell* {
      const auto index = header_.index(name);
      return index ? &cells[*index] : nullptr;
    };
    const auto text = [&](std::string_view name) {
      const CsvCell* found = cell(name);
      return found == nullptr ? std::string_view() : found->text;
    };
    JmeterSample out;
    if (auto problem = read_time("timeStamp", cells[time_], out.start_ns)) return problem;
    if (auto problem = read_duration("elapsed", cells[elapsed_], kJmeterUnitNs, out.elapsed_ns))
      return problem;
    if (const CsvCell* latency = cell("Latency"); latency != nullptr && !latency->text.empty())
      if (auto problem = read_duration("Latency", *latency, kJmeterUnitNs, out.latency_ns))
        return problem;
    if (const CsvCell* connect = cell("Connect"); connect != nullptr && !connect->text.empty())
      if (auto problem = read_duration("Connect", *connect, kJmeterUnitNs, out.connect_ns))
        return problem;
    if (const CsvCell* success = cell("success"); success != nullptr) {
      if (success->text != "true" && success->text != "false")
        return misread("success", *success, "true or false");
      out.success = success->text == "true";
    }
    if (const auto threads = parse_finite(text("allThreads")); threads && *threads >= 0)
      out.threads = *threads;
    out.label = cells[label_].text;
    out.code = text("responseCode");
    out.message = text("responseMessage");
    out.failure = text("failureMessage");
    out.url = text("URL");
    samples_.add(out);
    return std::nullopt;
  }

  JmeterSamples samples_;
  CsvRecord record_;
  CsvHeader header_;
  size_t time_ = 0, elapsed_ = 0, label_ = 0;
};

bool is_jmeter_csv(const std::vector<std::string>& head, const ReaderOptions&) {
  if (head.empty()) return false;
  const std::string& first = head.front();
  return first.find("timeStamp") != std::string::npos &&
         first.find("elapsed") != std::string::npos && first.find('<') == std::string::npos;
}

}  // namespace

Format jmeter_csv_format() {
  return {.name = "jmeter-csv",
          .tool = "jmeter",
          .title = "JMeter JTL (CSV with a header)",
          .recognises = is_jmeter_csv,
          .make = [](Sink& sink, const ReaderOptions&) -> std::unique_ptr<Reader> {
            return std::make_unique<JmeterCsv>(sink);
          }};
}

}  // namespace plumb::imports
