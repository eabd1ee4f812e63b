#include "core/report/html_table.h"

#include <array>
#include <utility>

#include "core/report/html_text.h"

namespace plumb::report {
namespace {

// The class attribute of a column's cells.
std::string class_of(const HtmlColumn& column) {
  static constexpr std::array<std::string_view, 4> kKinds = {"", "n", "long", "picture"};
  std::string out(kKinds[static_cast<size_t>(column.kind)]);
  if (column.width == ColumnWidth::kWideOnly) out += out.empty() ? "wide" : " wide";
  return out.empty() ? out : " class=\"" + out + "\"";
}

}  // namespace

HtmlTable::HtmlTable(std::string id, std::string caption, std::vector<HtmlColumn> columns)
    : id_(std::move(id)), caption_(std::move(caption)), columns_(std::move(columns)) {}

HtmlTable& HtmlTable::hide_caption() {
  caption_hidden_ = true;
  return *this;
}

void HtmlTable::add_row(const std::vector<std::string>& cells, std::string_view attributes) {
  body_.append("<tr").append(attributes).append(">");
  for (size_t i = 0; i < cells.size() && i < columns_.size(); ++i) {
    const std::string kind = class_of(columns_[i]);
    if (i == 0)
      body_.append("<th scope=\"row\"").append(kind).append(">").append(cells[i]).append("</th>");
    else
      body_.append("<td").append(kind).append(">").append(cells[i]).append("</td>");
  }
  body_ += "</tr>\n";
  ++rows_;
}

std::string HtmlTable::html() const {
  std::string head;
  for (const HtmlColumn& column : columns_)
    head.append("<th scope=\"col\"")
        .append(class_of(column))
        .append(">")
        .append(escape(column.title))
        .append("</th>");
  return "<div class=\"scroll\" role=\"region\" aria-labelledby=\"" + id_ +
         "-caption\" tabindex=\"0\">\n<table id=\"" + id_ + "\"><caption id=\"" + id_ +
         "-caption\"" + (caption_hidden_ ? " class=\"hidden\"" : "") + ">" + escape(caption_) +
         "</caption>\n<thead><tr>" + head + "</tr></thead>\n<tbody>\n" + body_ +
         "</tbody></table></div>\n";
}

}  // namespace plumb::report
