// Records of comma-separated values (RFC 4180): quoted fields may hold commas, quotes and line
// breaks.
#ifndef PLUMB_CORE_IMPORTS_CSV_RECORD_H_
#define PLUMB_CORE_IMPORTS_CSV_RECORD_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::imports {

struct CsvCell {
  std::string_view text;  // unquoted
  size_t column = 1;      // of its first character, from 1
};

// Puts lines together to records. Not thread-safe.
class CsvRecord {
 public:
  // Longer ones are cut off by `too_long`: a quote that nobody closed swallows a whole file.
  static constexpr size_t kLongest = size_t{1} << 16;

  explicit CsvRecord(char delimiter = ',') : delimiter_(delimiter) {}

  // True when the record is complete; its cells are valid until the next call, those of a record
  // of one line no longer than `line`.
  bool add(std::string_view line);
  const std::vector<CsvCell>& cells() const { return cells_; }
  bool too_long() const { return pending_.size() > kLongest; }
  // A record that has begun and is not complete.
  bool is_open() const { return !pending_.empty(); }

 private:
  bool split(std::string_view record);

  char delimiter_;
  std::string pending_;   // the lines until now of a record with a line break inside
  std::string complete_;  // where the cells of such a record point to
  std::deque<std::string> unquoted_;
  std::vector<CsvCell> cells_;
};

// The names of the columns, by which cells are found.
class CsvHeader {
 public:
  CsvHeader() = default;
  explicit CsvHeader(const std::vector<CsvCell>& cells);
  std::optional<size_t> index(std::string_view name) const;
  size_t size() const { return names_.size(); }
  bool empty() const { return names_.empty(); }

 private:
  std::vector<std::string> names_;
};

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_CSV_RECORD_H_
