// Cells of a record read as values, with what was expected where one cannot be.
#ifndef PLUMB_CORE_IMPORTS_CSV_VALUE_H_
#define PLUMB_CORE_IMPORTS_CSV_VALUE_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/imports/csv_record.h"
#include "core/imports/reader.h"
#include "core/imports/text_values.h"

namespace plumb::imports {

// "duration is '-3', a length of time of zero or more is expected". Long text is cut.
inline Problem misread(std::string_view what, const CsvCell& cell, std::string_view expected) {
  constexpr size_t kMostShown = 40;
  std::string shown(cell.text.substr(0, kMostShown));
  if (cell.text.size() > kMostShown) shown += "...";
  return {cell.column,
          std::string(what) + " is '" + shown + "'; " + std::string(expected) + " is expected"};
}

inline std::optional<Problem> read_time(std::string_view what, const CsvCell& cell, int64_t& out) {
  const auto time = parse_time(cell.text);
  if (!time) return misread(what, cell, "a time (epoch or RFC 3339)");
  out = *time;
  return std::nullopt;
}

inline std::optional<Problem> read_duration(std::string_view what, const CsvCell& cell,
                                            double unit_of_number_ns, int64_t& out) {
  const auto number = parse_finite(trimmed(cell.text));
  const auto ns = number ? duration_ns(*number, unit_of_number_ns) : std::nullopt;
  if (!ns) return misread(what, cell, "a length of time of zero or more, and at most a day,");
  out = *ns;
  return std::nullopt;
}

inline std::optional<Problem> read_count(std::string_view what, const CsvCell& cell,
                                         uint64_t& out) {
  const auto count = parse_count(trimmed(cell.text));
  if (!count) return misread(what, cell, "a whole number of zero or more");
  out = *count;
  return std::nullopt;
}

// The place of a column that must be there.
inline std::optional<Problem> need_column(const CsvHeader& header, std::string_view name,
                                          size_t& out) {
  const auto index = header.index(name);
  if (!index) return Problem{1, "the header has no column '" + std::string(name) + "'"};
  out = *index;
  return std::nullopt;
}

inline Problem wrong_width(size_t cells, const CsvHeader& header) {
  return {0,
          std::to_string(cells) + " fields where the header has " + std::to_string(header.size())};
}

inline bool is_blank(const std::vector<CsvCell>& cells) {
  return cells.size() == 1 && trimmed(cells[0].text).empty();
}

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_CSV_VALUE_H_
