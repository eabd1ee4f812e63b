// k6 run --out json=FILE and --out csv=FILE.
#include "core/imports/csv_reader.h"
#include "core/imports/flat_json.h"
#include "core/imports/formats.h"
#include "core/imports/k6_requests.h"

namespace plumb::imports {
namespace {

class K6Json final : public Reader {
 public:
  explicit K6Json(Sink& sink) : requests_(sink) {}

  std::optional<Problem> line(std::string_view text) override {
    if (trimmed(text).empty()) return std::nullopt;
    if (auto problem = json_.parse(text)) return problem;
    const std::string_view type = json_.text("type");
    if (type == "Metric") return std::nullopt;
    if (type != "Point")
      return Problem{0, "its type is '" + std::string(type.substr(0, 40)) +
                            "'; k6's \"Metric\" or \"Point\" is expected"};
    const auto time = parse_time(json_.text("data.time"));
    if (!time) return Problem{0, "data.time is no RFC 3339 time"};
    const JsonField* value = json_.find("data.value");
    const auto number = value != nullptr && value->kind == JsonField::Kind::kNumber
                            ? parse_finite(value->text)
                            : std::nullopt;
    if (!number) return Problem{0, "data.value is no number"};
    K6Tags tags;
    tags.name = json_.text("data.tags.name");
    tags.url = json_.text("data.tags.url");
    tags.method = json_.text("data.tags.method");
    tags.status = json_.text("data.tags.status");
    tags.error = json_.text("data.tags.error");
    tags.error_code = json_.text("data.tags.error_code");
    tags.expected_response = json_.text("data.tags.expected_response");
    return requests_.point(json_.text("metric"), *time, *number, tags);
  }

  std::optional<Problem> finish() override { return requests_.finish(); }

 private:
  K6Requests requests_;
  FlatJson json_;
};

class K6Csv final : public CsvReader {
 public:
  explicit K6Csv(Sink& sink) : requests_(sink) {}

  std::optional<Problem> finish() override {
    if (auto problem = CsvReader::finish()) return problem;
    return requests_.finish();
  }

 private:
  std::optional<Problem> header_read() override {
    if (auto problem = need_column(header(), "metric_name", metric_)) return problem;
    if (auto problem = need_column(header(), "timestamp", time_)) return problem;
    return need_column(header(), "metric_value", value_);
  }

  std::optional<Problem> row_read(const std::vector<CsvCell>& cells) override {
    int64_t time_ns = 0;
    if (auto problem = read_time("timestamp", cells[time_], time_ns)) return problem;
    const auto value = parse_finite(cells[value_].text);
    if (!value) return misread("metric_value", cells[value_], "a number");
    const auto tag = [&](std::string_view name) {
      const auto index = header().index(name);
      return index ? cells[*index].text : std::string_view();
    };
    K6Tags tags{tag("name"),  tag("url"),        tag("method"),           tag("status"),
                tag("error"), tag("error_code"), tag("expected_response")};
    auto problem = requests_.point(cells[metric_].text, time_ns, *value, tags);
    if (problem) problem->column = cells[value_].column;
    return problem;
  }

  K6Requests requests_;
  size_t metric_ = 0, time_ = 0, value_ = 0;
};

bool is_k6_json(const std::vector<std::string>& head, const ReaderOptions&) {
  FlatJson json;
  if (head.empty() || json.parse(head.front())) return false;
  const std::string_view type = json.text("type");
  return json.find("metric") != nullptr && (type == "Metric" || type == "Point");
}

bool is_k6_csv(const std::vector<std::string>& head, const ReaderOptions&) {
  return !head.empty() && head.front().starts_with("metric_name,timestamp,metric_value");
}

}  // namespace

Format k6_json_format() {
  return {.name = "k6-json",
          .tool = "k6",
          .title = "k6 JSON (k6 run --out json=FILE)",
          .recognises = is_k6_json,
          .make = [](Sink& sink, const ReaderOptions&) -> std::unique_ptr<Reader> {
            return std::make_unique<K6Json>(sink);
          }};
}

Format k6_csv_format() {
  return {.name = "k6-csv",
          .tool = "k6",
          .title = "k6 CSV (k6 run --out csv=FILE)",
          .recognises = is_k6_csv,
          .make = [](Sink& sink, const ReaderOptions&) -> std::unique_ptr<Reader> {
            return std::make_unique<K6Csv>(sink);
          }};
}

}  // namespace plumb::imports
