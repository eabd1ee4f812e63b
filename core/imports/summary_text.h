// Words and figures of a summary that is meant for people.
#ifndef PLUMB_CORE_IMPORTS_SUMMARY_TEXT_H_
#define PLUMB_CORE_IMPORTS_SUMMARY_TEXT_H_

#include <optional>
#include <string_view>
#include <vector>

#include "core/imports/csv_value.h"

namespace plumb::imports {

// The words of a line with their columns; blanks and commas part them.
inline std::vector<CsvCell> words_of(std::string_view line) {
  constexpr std::string_view kBetween = " \t,";
  std::vector<CsvCell> out;
  for (size_t at = line.find_first_not_of(kBetween); at != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kBetween, at), line.size());
    out.push_back({line.substr(at, end - at), at + 1});
    at = line.find_first_not_of(kBetween, end);
  }
  return out;
}

// A length of time with its unit, in seconds.
inline std::optional<Problem> read_told_duration(std::string_view what, const CsvCell& cell,
                                                 double& seconds) {
  const auto ns = parse_duration_text(cell.text);
  if (!ns) return misread(what, cell, "a length of time such as 1.25ms");
  seconds = static_cast<double>(*ns) / 1e9;
  return std::nullopt;
}

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_SUMMARY_TEXT_H_
