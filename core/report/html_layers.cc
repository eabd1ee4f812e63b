#include <algorithm>
#include <array>
#include <functional>
#include <sstream>

#include "core/base/number_text.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostShownRows = 25;
constexpr size_t kMostColumns = 14;
constexpr size_t kMostTables = 12;
constexpr size_t kLongestWord = 34;  // columns; a longer one is broken within

bool starts_with(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool is_database(const std::string& name) {
  return starts_with(name, "pg_") || starts_with(name, "sqlite_");
}

bool is_host(const std::string& name) {
  return starts_with(name, "host_") || starts_with(name, "target_") ||
         starts_with(name, "others_") || name == "processes" || name == "host";
}

std::string labels_text(const json& labels) {
  std::string out;
  if (!labels.is_object()) return out;
  for (const auto& [name, value] : labels.items())
    if (value.is_string())
      out += (out.empty() ? "" : ", ") + one_line(value.get_ref<const std::string&>());
  return out;
}

// Labels of series and series' help begin as they may; a title does so with a capital.
std::string capitalised(std::string title) {
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

// One small chart for each series name that `wanted` takes; series of one name are its lines.
std::string charts(HtmlPage& page, const std::function<bool(const std::string&)>& wanted,
                   std::string_view prefix) {
  std::vector<std::pair<std::string, TimeChart>> by_name;
  for (const json& series : list(member(page.report, "timeline"), "series")) {
    const std::string name = text(series, "name");
    if (!wanted(name)) continue;
    auto found = std::find_if(by_name.begin(), by_name.end(),
                              [&](const auto& entry) { return entry.first == name; });
    if (found == by_name.end()) {
      if (by_name.size() >= 20) continue;
      const std::string title = text(series, "title");
      by_name.emplace_back(name, TimeChart{.id = "chart-" + std::string(prefix) + "-" +
                                                 std::to_string(by_name.size() + 1),
                                           .title = capitalised(title.empty() ? name : title),
                                           .unit = text(series, "unit"),
                                           .height = 110,
                                           .lines = {}});
      found = by_name.end() - 1;
    }
    if (found->second.lines.size() >= 6) continue;
    ChartLine line{labels_text(member(series, "labels")), {}};
    for (const json& value : list(series, "values")) line.values.push_back(number(value));
    found->second.lines.push_back(std::move(line));
  }
  std::string out;
  for (auto& [name, chart] : by_name) out += page.chart(std::move(chart));
  return out.empty() ? out : "<div class=\"multiples\">" + out + "</div>";
}

// Numbers that name something, such as processes: nobody counts them by thousands.
bool is_name(const std::string& key) {
  static constexpr std::array<std::string_view, 6> kNames = {"pid",  "tid",    "id",
                                                             "port", "number", "user_version"};
  return std::find(kNames.begin(), kNames.end(), key) != kNames.end() || key.ends_with("_id") ||
         key.ends_with("_pid");
}

// In a column `remark` a plugin says what is worth attention of a row.
constexpr std::string_view kRemark = "remark";

// The rows in the order in which they are shown: those with a remark first.
std::vector<const json*> rows_to_show(const json& rows, const json& columns) {
  std::vector<const json*> out;
  for (const json& row : rows) out.push_back(&row);
  size_t at = 0;
  while (at < columns.size() && text(columns[at], "key") != kRemark) ++at;
  if (at == columns.size()) return out;
  std::stable_partition(out.begin(), out.end(), [at](const json* row) {
    return row->is_array() && at < row->size() && (*row)[at].is_string() &&
           !(*row)[at].get_ref<const std::string&>().empty();
  });
  return out;
}

bool has_long_words(const json& rows, size_t column) {
  for (const json& row : rows) {
    if (!row.is_array() || column >= row.size() || !row[column].is_string()) continue;
    std::istringstream words(row[column].get_ref<const std::string&>());
    for (std::string word; words >> word;)
      if (columns_of(one_line(word)) > kLongestWord) return true;
  }
  return false;
}

bool is_numeric(const json& rows, size_t column) {
  bool any = false;
  for (const json& row : rows) {
    if (!row.is_array() || column >= row.size() || row[column].is_null()) continue;
    if (!row[column].is_number()) return false;
    any = true;
  }
  return any;
}

std::string table_html(const std::string& id, const json& table) {
  const json& rows = list(table, "rows");
  const json& columns = list(table, "columns");
  if (rows.empty() || columns.empty()) return {};
  std::vector<HtmlColumn> heads;
  std::vector<std::string> units;
  for (size_t i = 0; i < columns.size() && i < kMostColumns; ++i) {
    heads.push_back({cut(text(columns[i], "title"), 60), is_numeric(rows, i) ? ColumnKind::kNumber
                                                         : has_long_words(rows, i)
                                                             ? ColumnKind::kLong
                                                             : ColumnKind::kText});
    units.push_back(is_name(text(columns[i], "key")) ? "name" : text(columns[i], "unit"));
  }
  const size_t width = heads.size();
  HtmlTable out(id, cut(text(table, "title"), 120), std::move(heads));
  const std::vector<const json*> order = rows_to_show(rows, columns);
  for (size_t r = 0; r < order.size() && r < kMostShownRows; ++r) {
    const json& row = *order[r];
    std::vector<std::string> cells;
    for (size_t i = 0; i < width; ++i)
      cells.push_back(row.is_array() && i < row.size() ? cell(row[i], units[i]) : "–");
    out.add_row(cells);
  }
  std::string html = out.html();
  if (rows.size() > kMostShownRows)
    html += "<p class=\"soft\">" + grouped(static_cast<double>(rows.size() - kMostShownRows)) +
            " more rows are in report.json.</p>";
  return html;
}

std::string tables(const HtmlPage& page, const std::function<bool(const std::string&)>& wanted,
                   std::string_view prefix) {
  std::string out;
  size_t shown = 0;
  const json& all = member(page.report, "tables");
  if (!all.is_object()) return out;
  for (const auto& [name, table] : all.items()) {
    if (!wanted(name) || shown >= kMostTables) continue;
    const std::string html =
        table_html("table-" + std::string(prefix) + "-" + std::to_string(shown + 1), table);
    if (!html.empty()) ++shown;
    out += html;
  }
  return out;
}

}  // namespace

std::string database_section(HtmlPage& page) {
  return page.section("database", "Database",
                      charts(page, is_database, "db") + tables(page, is_database, "db"));
}

std::string host_section(HtmlPage& page) {
  // What the machine is stands with the configuration.
  const auto of_host = [](const std::string& name) { return is_host(name) && name != "host"; };
  return page.section("host", "Host and processes",
                      charts(page, is_host, "host") + tables(page, of_host, "host"));
}

std::string other_layers_section(HtmlPage& page) {
  const auto other = [](const std::string& name) {
    return !is_database(name) && !is_host(name) && name != "http_errors";
  };
  return page.section("layers", "Other layers",
                      charts(page, other, "other") + tables(page, other, "other"));
}

}  // namespace plumb::report
