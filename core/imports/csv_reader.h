// What readers of CSV with a header share: records over several lines, the header, blank rows, the
// width of rows.
#ifndef PLUMB_CORE_IMPORTS_CSV_READER_H_
#define PLUMB_CORE_IMPORTS_CSV_READER_H_

#include <vector>

#include "core/imports/csv_value.h"

namespace plumb::imports {

class CsvReader : public Reader {
 public:
  std::optional<Problem> line(std::string_view text) final {
    if (header_.empty() && !record_.is_open()) record_ = CsvRecord(delimiter_of(text));
    if (!record_.add(text)) return record_.too_long() ? std::optional(kUnclosed) : std::nullopt;
    const auto& cells = record_.cells();
    if (header_.empty()) {
      header_ = CsvHeader(cells);
      return header_read();
    }
    if (is_blank(cells)) return std::nullopt;
    if (cells.size() != header_.size()) return wrong_width(cells.size(), header_);
    return row_read(cells);
  }

  std::optional<Problem> finish() override {
    return record_.is_open() ? std::optional(kUnclosed) : std::nullopt;
  }

 protected:
  // By the first line.
  virtual char delimiter_of(std::string_view) const { return ','; }
  // Once, when header() is known.
  virtual std::optional<Problem> header_read() = 0;
  // As many cells as the header has.
  virtual std::optional<Problem> row_read(const std::vector<CsvCell>& cells) = 0;
  const CsvHeader& header() const { return header_; }

 private:
  inline static const Problem kUnclosed{0, "a quoted field has no closing quote"};
  CsvRecord record_;
  CsvHeader header_;
};

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_CSV_READER_H_
