// The rows of a feeder's file: CSV with a header row (RFC 4180), or JSON lines. Read once, at
// configure; errors begin with file:line.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_FEEDER_TABLE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_FEEDER_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::http_load {

// Text cells, in one piece of memory.
class FeederTable {
 public:
  const std::vector<std::string>& columns() const { return columns_; }
  size_t rows() const { return columns_.empty() ? 0 : ends_.size() / columns_.size(); }
  std::string_view at(size_t row, size_t column) const {
    const size_t cell = row * columns_.size() + column;
    const size_t begin = cell == 0 ? 0 : ends_[cell - 1];
    return std::string_view(text_).substr(begin, ends_[cell] - begin);
  }

  // Columns first, then cell by cell, row by row.
  void set_columns(std::vector<std::string> columns) { columns_ = std::move(columns); }
  void add_cell(std::string_view text) {
    text_ += text;
    ends_.push_back(text_.size());
  }

 private:
  std::vector<std::string> columns_;
  std::string text_;
  std::vector<size_t> ends_;
};

// Lines end with LF or CRLF; quoted fields may hold commas, line breaks and doubled quotes. A byte
// order mark and empty lines are read over. `file` is for messages.
Result<FeederTable> parse_csv(std::string_view text, const std::string& file);
// One object a line; the columns are the keys of the first one, and every line has them all. Values
// that are no strings are taken as they are written in JSON.
Result<FeederTable> parse_json_lines(std::string_view text, const std::string& file);

// By the ending of its name: .csv, .jsonl or .ndjson. At most 1 GiB, 10,000,000 rows, 1,000
// columns.
Result<FeederTable> read_feeder_file(const std::string& file);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_FEEDER_TABLE_H_
