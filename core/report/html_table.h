// A table of a page: a caption, headed columns, numbers set right. It scrolls inside itself, so
// that a wide one never makes the page scroll.
#ifndef PLUMB_CORE_REPORT_HTML_TABLE_H_
#define PLUMB_CORE_REPORT_HTML_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

namespace plumb::report {

// kLong: text that may take what room there is, and is broken anywhere; kPicture takes the rest.
enum class ColumnKind { kText, kNumber, kLong, kPicture };
// Whether a phone shows the column too.
enum class ColumnWidth { kEverywhere, kWideOnly };

struct HtmlColumn {
  std::string title;
  ColumnKind kind = ColumnKind::kText;
  ColumnWidth width = ColumnWidth::kEverywhere;
};

class HtmlTable {
 public:
  // `id` is unique in the page and safe in an attribute; the caption is plain text.
  HtmlTable(std::string id, std::string caption, std::vector<HtmlColumn> columns);

  // Leaves the caption to screen readers, where a heading above says the same.
  HtmlTable& hide_caption();
  // Cells are HTML, as many as there are columns; the first one heads the row. `attributes` is
  // HTML, such as ` class="hit"`.
  void add_row(const std::vector<std::string>& cells, std::string_view attributes = {});
  size_t rows() const { return rows_; }
  size_t bytes() const { return body_.size(); }  // of the rows so far
  std::string html() const;

 private:
  std::string id_;
  std::string caption_;
  std::vector<HtmlColumn> columns_;
  std::string body_;
  size_t rows_ = 0;
  bool caption_hidden_ = false;
};

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_HTML_TABLE_H_
