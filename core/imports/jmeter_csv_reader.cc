// JMeter's results as CSV with a header (.jtl).
#include "core/imports/csv_reader.h"
#include "core/imports/formats.h"
#include "core/imports/jmeter_sample.h"

namespace plumb::imports {
namespace {

constexpr double kJmeterUnitNs = 1e6;

class JmeterCsv final : public CsvReader {
 public:
  explicit JmeterCsv(Sink& sink) : samples_(sink) {}

  std::optional<Problem> finish() override {
    if (auto problem = CsvReader::finish()) return problem;
    return samples_.finish();
  }

 private:
  // jmeter.save.saveservice.default_delimiter may be another.
  char delimiter_of(std::string_view header) const override {
    for (const char c : {',', '|', ';', '\t'})
      if (header.find(c) != std::string_view::npos) return c;
    return ',';
  }

  std::optional<Problem> header_read() override {
    if (auto problem = need_column(header(), "timeStamp", time_)) return problem;
    if (auto problem = need_column(header(), "elapsed", elapsed_)) return problem;
    return need_column(header(), "label", label_);
  }

  std::optional<Problem> row_read(const std::vector<CsvCell>& cells) override {
    const auto cell = [&](std::string_view name) -> const CsvCell* {
      const auto index = header().index(name);
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
