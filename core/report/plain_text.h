// Text of unknown origin made fit for one place in a report. Labels, SQL and messages come from
// plugins and from the system under test: they are never trusted to be UTF-8, short or harmless.
#ifndef PLUMB_CORE_REPORT_PLAIN_TEXT_H_
#define PLUMB_CORE_REPORT_PLAIN_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::report {

// Valid UTF-8: what is not becomes U+FFFD.
std::string valid_utf8(std::string_view text);
// The same for every string and key in a document, without control characters: a script may print
// any of them to a terminal. Line breaks and tabs stay. What is nested deeper than 64 levels is
// null.
nlohmann::json valid_document(const nlohmann::json& document);

// Valid UTF-8 without control characters (a terminal would obey them) and without the marks that
// reverse the direction of writing (they make text look like another). Line breaks and tabs become
// one blank each.
std::string one_line(std::string_view text);
// The same, with line breaks and tabs kept.
std::string many_lines(std::string_view text);

// Columns the text takes on a terminal: 2 for wide East Asian characters and emoji, 0 for
// combining marks. The text must be valid UTF-8.
size_t columns_of(std::string_view text);
// At most `columns` columns, the last one an ellipsis when something was cut off.
std::string cut(std::string_view text, size_t columns);
// The same with the ellipsis in the middle: for names that differ at their ends.
std::string cut_middle(std::string_view text, size_t columns);
// Cut and then filled with blanks to exactly `columns`, behind the text or before it.
std::string fill_right(std::string_view text, size_t columns);
std::string fill_left(std::string_view text, size_t columns);
// Lines of at most `columns` columns, broken at blanks, or within a word that is longer than a
// line. At least one line.
std::vector<std::string> wrap(std::string_view text, size_t columns);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_PLAIN_TEXT_H_
