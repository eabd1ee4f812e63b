#include <algorithm>

#include "core/base/json_text.h"
#include "core/base/number_text.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostCited = 500;

bool is_fact_id(const std::string& id) {
  return id.size() >= 2 && id.size() <= 9 && id[0] == 'F' &&
         std::all_of(id.begin() + 1, id.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Depth is bounded: a report is a few levels deep, and a hostile one must not exhaust the stack.
void collect(const json& value, std::set<std::string>& ids, int depth) {
  if (depth > 8 || !value.is_structured()) return;
  for (const auto& [key, item] : value.items()) {
    if (value.is_object() && (key == "evidence" || key == "evidence_ids") && item.is_array()) {
      for (const json& id : item)
        if (id.is_string() && is_fact_id(id.get_ref<const std::string&>()))
          ids.insert(id.get<std::string>());
    } else {
      collect(item, ids, depth + 1);
    }
  }
}

std::string labels_of(const json& fact) {
  std::string out;
  const json& labels = member(fact, "labels");
  if (!labels.is_object()) return out;
  for (const auto& [name, value] : labels.items())
    out += (out.empty() ? "" : ", ") + one_line(name) + "=" +
           (value.is_string() ? one_line(value.get_ref<const std::string&>()) : json_text(value));
  return out;
}

std::vector<std::string> cells_of(const json& fact) {
  const std::string help = text(fact, "help");
  std::string name = code(text(fact, "name"), 100);
  if (const std::string labels = labels_of(fact); !labels.empty())
    name += " <span class=\"labels\">" + shortened(labels, 160) + "</span>";
  if (!help.empty()) name += "<br><span class=\"soft\">" + shortened(help, 200) + "</span>";
  const json& window = member(fact, "window");
  std::string span;
  if (const auto start = number(window, "start_s"), end = number(window, "end_s"); start && end)
    span = grouped(*start, 1) + "–" + grouped(*end, 1) + " s";
  return {escape(text(fact, "id")), name,
          "<b>" + plain_number(number(fact, "value"), text(fact, "unit")) + "</b>", span,
          shortened(text(fact, "source"), 60)};
}

std::vector<HtmlColumn> columns() {
  return {{"Fact"},
          {"Name", ColumnKind::kLong},
          {"Value", ColumnKind::kNumber},
          {"Window", ColumnKind::kNumber},
          {"Source"}};
}

}  // namespace

std::vector<std::string> cited_facts(const json& report) {
  std::set<std::string> ids;
  for (const char* part : {"validity", "ledger", "matrix", "findings", "slos", "analysis"})
    collect(member(report, part), ids, 0);
  std::vector<std::string> out;
  for (const json& fact : list(report, "facts")) {
    const std::string id = text(fact, "id");
    if (ids.erase(id) != 0 && out.size() < kMostCited) out.push_back(id);
  }
  return out;
}

std::string evidence_section(HtmlPage& page, size_t bytes) {
  const json& facts = list(page.report, "facts");
  if (facts.empty()) return {};
  HtmlTable cited("facts-cited", "Facts that something above rests on", columns());
  HtmlTable others("facts-others", "Facts that nothing above rests on", columns());
  std::set<std::string> pending = page.linked;
  std::vector<const json*> rest;
  for (const json& fact : facts) {
    if (pending.erase(text(fact, "id")) != 0)
      cited.add_row(cells_of(fact), " id=\"" + escape(text(fact, "id")) + "\"");
    else
      rest.push_back(&fact);
  }
  for (const json* fact : rest) {
    if (cited.bytes() + others.bytes() > bytes) break;
    others.add_row(cells_of(*fact));
  }
  const size_t left_out = rest.size() - others.rows();
  std::string body =
      "<p>Every conclusion rests on the facts it names, and on nothing else. A fact is one number, "
      "measured over one window.</p>";
  if (cited.rows() != 0) body += cited.html();
  if (others.rows() != 0 || left_out != 0) {
    body += "<details><summary>" + grouped(static_cast<double>(others.rows() + left_out)) +
            " more facts</summary>";
    if (others.rows() != 0) body += others.html();
    if (left_out != 0)
      body += "<p>" + grouped(static_cast<double>(left_out)) +
              " of them are not shown here, to keep this page small; report.json and the CSV have "
              "them all.</p>";
    body += "</details>";
  }
  return page.section("evidence", "Evidence", body);
}

}  // namespace plumb::report
