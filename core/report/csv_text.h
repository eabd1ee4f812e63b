// Fields of comma-separated values (RFC 4180).
#ifndef PLUMB_CORE_REPORT_CSV_TEXT_H_
#define PLUMB_CORE_REPORT_CSV_TEXT_H_

#include <optional>
#include <string>

namespace plumb::report {

// Quoted where it must be, quotes doubled. A spreadsheet would run text that begins like a formula,
// so such text gets an apostrophe in front.
std::string csv_field(const std::string& text);
// The shortest text that reads back as the same number; empty for none.
std::string csv_figure(const std::optional<double>& value);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_CSV_TEXT_H_
