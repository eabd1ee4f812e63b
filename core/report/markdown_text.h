// Text of unknown origin inside GitHub's Markdown.
#ifndef PLUMB_CORE_REPORT_MARKDOWN_TEXT_H_
#define PLUMB_CORE_REPORT_MARKDOWN_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace plumb::report {

// Text that stays text on GitHub: no markup, no HTML, no link, no mention of a person or an issue.
// At most `longest` columns of it.
std::string markdown_text(std::string_view untrusted, size_t longest = 600);
// The same for a cell of a table.
std::string markdown_cell(std::string_view untrusted);
// A row of a table; the cells are Markdown.
std::string markdown_row(const std::vector<std::string>& cells);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_MARKDOWN_TEXT_H_
