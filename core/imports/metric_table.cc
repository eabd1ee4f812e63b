#include "core/imports/metric_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "core/imports/csv_value.h"
#include "core/imports/line_source.h"

namespace plumb::imports {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMostMetrics = 100'000;
// Earlier times are seconds since a start: no metrics were kept in CSV in 1970.
constexpr int64_t kEarliestEpochNs = 100'000'000 * kSecondNs;

bool is_word_for_none(std::string_view text) {
  constexpr std::string_view kWords[] = {
      "",     "nan",  "NaN", "NAN",  "null", "NULL", "N/A",  "n/a",      "NA",       "-",
      "None", "none", "inf", "-inf", "Inf",  "-Inf", "+Inf", "Infinity", "-Infinity"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

char delimiter_of(std::string_view heading) {
  for (const char c : {'\t', ';'})
    if (heading.find(c) != std::string_view::npos && heading.find(',') == std::string_view::npos)
      return c;
  return ',';
}

class TableReader {
 public:
  TableReader(MetricTable& out, size_t most_cells) : out_(out), most_cells_(most_cells) {}

  std::optional<Problem> line(std::string_view text) {
    if (out_.names.empty()) {
      if (trimmed(text).empty()) return std::nullopt;
      return heading(text);
    }
    return row(text);
  }

 private:
  std::optional<Problem> heading(std::string_view text) {
    delimiter_ = delimiter_of(text);
    CsvRecord record(delimiter_);
    if (!record.add(text)) return Problem{0, "a quoted field has no closing quote"};
    const auto& cells = record.cells();
    if (cells.size() < 2)
      return Problem{1, "a time and at least one metric are expected, parted by commas"};
    if (cells.size() - 1 > kMostMetrics)
      return Problem{0, "there are more than " + std::to_string(kMostMetrics) + " metrics"};
    const bool has_heading = !parse_time(cells[0].text);
    for (size_t i = 1; i < cells.size(); ++i)
      out_.names.push_back(has_heading && !trimmed(cells[i].text).empty()
                               ? std::string(trimmed(cells[i].text))
                               : "column " + std::to_string(i + 1));
    values_.resize(out_.names.size());
    return has_heading ? std::nullopt : row(text);
  }

  std::optional<Problem> row(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const size_t end = std::min(text.find(delimiter_), text.size());
    std::string_view time_text = text.substr(0, end);
    if (time_text.size() >= 2 && time_text.front() == '"' && time_text.back() == '"')
      time_text = time_text.substr(1, time_text.size() - 2);
    const auto time = parse_time(time_text);
    if (!time)
      return misread("the time", {time_text, 1},
                     "epoch seconds (or ms, us, ns), RFC 3339, or seconds since the start");
    const bool relative = *time < kEarliestEpochNs;
    if (out_.rows_read == 0) out_.relative = relative;
    if (relative != out_.relative)
      return misread("the time", {time_text, 1},
                     out_.relative ? "seconds since the start, as in the first row,"
                                   : "a time of the epoch, as in the first row,");
    if (auto problem = values(text, end)) return problem;
    if (out_.rows_read++ % out_.stride == 0) keep(*time);
    return std::nullopt;
  }

  std::optional<Problem> values(std::string_view text, size_t at) {
    for (size_t i = 0; i < values_.size(); ++i) {
      if (at >= text.size()) {
        std::fill(values_.begin() + static_cast<ptrdiff_t>(i), values_.end(), kMissing);
        return std::nullopt;
      }
      at = value(text, at + 1, values_[i]);
    }
    if (at < text.size())
      return Problem{
          at + 1, "there are more fields than the heading's " + std::to_string(values_.size() + 1)};
    return std::nullopt;
  }

  // Reads the field that begins at `at`, and gives where its delimiter is, or the end.
  size_t value(std::string_view text, size_t at, double& out) {
    const char* first = text.data() + at;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, out);
    if (error == std::errc() && (end == last || *end == delimiter_)) {
      if (!std::isfinite(out)) out = kMissing;
      return static_cast<size_t>(end - text.data());
    }
    // Not a bare number: blanks, quotes, a plus, a word.
    size_t stop = std::min(text.find(delimiter_, at), text.size());
    std::string_view field = trimmed(text.substr(at, stop - at));
    if (!field.empty() && field.front() == '"') {
      const size_t quote = text.find('"', text.find('"', at) + 1);
      stop = quote == std::string_view::npos ? text.size()
                                             : std::min(text.find(delimiter_, quote), text.size());
      field = trimmed(text.substr(at, stop - at));
      field.remove_prefix(1);
      if (field.ends_with('"')) field.remove_suffix(1);
    }
    const auto number = parse_finite(field);
    out = number.value_or(kMissing);
    if (!number && !is_word_for_none(field)) ++out_.words;
    return stop;
  }

  void keep(int64_t time_ns) {
    if (out_.cells.size() + values_.size() > most_cells_ && out_.times_ns.size() > 1) {
      thin_out();
      if ((out_.rows_read - 1) % out_.stride != 0) return;
    }
    out_.times_ns.push_back(time_ns);
    out_.cells.insert(out_.cells.end(), values_.begin(), values_.end());
  }

  // Keeps every second of the rows.
  void thin_out() {
    const size_t width = values_.size();
    size_t kept = 0;
    for (size_t row = 0; row < out_.times_ns.size(); row += 2, ++kept) {
      out_.times_ns[kept] = out_.times_ns[row];
      std::copy_n(out_.cells.begin() + static_cast<ptrdiff_t>(row * width), width,
                  out_.cells.begin() + static_cast<ptrdiff_t>(kept * width));
    }
    out_.times_ns.resize(kept);
    out_.cells.resize(kept * width);
    out_.stride *= 2;
  }

  MetricTable& out_;
  const size_t most_cells_;
  char delimiter_ = ',';
  std::vector<double> values_;
};

void sort_by_time(MetricTable& table) {
  if (std::is_sorted(table.times_ns.begin(), table.times_ns.end())) return;
  std::vector<size_t> order(table.times_ns.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return table.times_ns[a] < table.times_ns[b]; });
  MetricTable sorted;
  sorted.times_ns.reserve(order.size());
  sorted.cells.reserve(table.cells.size());
  const size_t width = table.names.size();
  for (const size_t row : order) {
    sorted.times_ns.push_back(table.times_ns[row]);
    const auto from = table.cells.begin() + static_cast<ptrdiff_t>(row * width);
    sorted.cells.insert(sorted.cells.end(), from, from + static_cast<ptrdiff_t>(width));
  }
  table.times_ns = std::move(sorted.times_ns);
  table.cells = std::move(sorted.cells);
}

}  // namespace

Result<MetricTable> read_metric_table(std::unique_ptr<ByteSource> bytes, const std::string& name,
                                      size_t most_cells) {
  LineSource lines(std::move(bytes));
  MetricTable out;
  TableReader reader(out, most_cells);
  for (;;) {
    const auto line = lines.next();
    if (!line.is_ok()) return line.status().with_context(name);
    if (!*line) break;
    if (const auto problem = reader.line(**line)) {
      std::string where = name + ":" + std::to_string(lines.number());
      if (problem->column > 0) where += ":" + std::to_string(problem->column);
      return Status::invalid_argument(where + ": " + problem->message);
    }
  }
  if (out.names.empty()) return Status::invalid_argument(name + ": the file is empty");
  if (out.times_ns.empty())
    return Status::invalid_argument(name + ": there is no row below the heading");
  sort_by_time(out);
  return out;
}

}  // namespace plumb::imports
