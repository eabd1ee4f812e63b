#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "core/base/number_text.h"
#include "core/report/comparison.h"
#include "core/report/comparison_words.h"
#include "core/report/html_document.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/html_verdict.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/svg_difference.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostClientRows = 400;
constexpr size_t kMostTableLines = 100;
constexpr double kWidestScale = 2;  // a change by more than ×3 is cut off, so that others show

std::string compared_section(HtmlDocument& page, const std::string& id, const std::string& heading,
                             const std::string& body) {
  if (body.empty()) return {};
  page.contents.emplace_back(id, heading);
  return "<section id=\"" + id + "\" aria-labelledby=\"" + id + "-h\"><h2 id=\"" + id + "-h\">" +
         escape(heading) + "</h2>\n" + body + "</section>\n";
}

std::string verdict_cell(const ChangeWords& words) {
  const bool told = words.verdict == "regressed" || words.verdict == "improved";
  return told ? "<b>" + escape(words.verdict) + "</b>" : shortened(words.verdict, 40);
}

std::string_view row_class(const json& row) {
  return is_verdict(row, "regressed") ? " class=\"hit\"" : "";
}

// The common scale of all rows: the largest end of an interval, of what can be told as a share.
double share_reach(const std::vector<const json*>& rows) {
  double reach = 0.05;
  for (const json* row : rows) {
    if (is_share(*row)) continue;
    for (const char* end : {"low", "high"})
      reach = std::max(reach, std::fabs(number(member(*row, "relative"), end).value_or(0)));
  }
  return std::min(reach, kWidestScale);
}

std::string share_bar(const json& row, double reach) {
  const json& relative = member(row, "relative");
  const auto value = number(relative, "value");
  const auto low = number(relative, "low");
  const auto high = number(relative, "high");
  if (!value || !low || !high || is_share(row)) return "";
  return interval_bar(*low, *value, *high, reach, text(row, "verdict"));
}

// Why there is not enough data, each reason once.
std::string reasons_html(const std::vector<const json*>& rows) {
  std::set<std::string> reasons;
  for (const json* row : rows)
    if (const std::string reason = text(*row, "reason"); !reason.empty() && reasons.size() < 5)
      reasons.insert(verdict_words(*row) + ": " + reason);
  std::string out;
  for (const std::string& reason : reasons)
    out += "<p class=\"soft\">" + shortened(reason, 220) + ".</p>";
  return out;
}

std::string changes_table(const std::string& id, const std::string& caption,
                          const std::vector<const json*>& rows, double reach) {
  HtmlTable table(id, caption,
                  {{"Figure"},
                   {"Base", ColumnKind::kNumber},
                   {"Run", ColumnKind::kNumber},
                   {"Change", ColumnKind::kNumber},
                   {"Verdict"},
                   {"−" + ratio_text(reach) + " to +" + ratio_text(reach), ColumnKind::kLong},
                   {"95% interval", ColumnKind::kNumber},
                   {"q", ColumnKind::kNumber}});
  for (const json* row : rows) {
    const ChangeWords words = change_words(*row, false);
    table.add_row({shortened(words.name, 80), escape(words.base), escape(words.run),
                   escape(words.change), verdict_cell(words), share_bar(*row, reach),
                   escape(words.interval), escape(words.chance.empty() ? "–" : words.chance)},
                  row_class(*row));
  }
  return table.html() + reasons_html(rows);
}

std::vector<const json*> rows_of(const json& rows, const std::function<bool(const json&)>& wanted,
                                 size_t most) {
  std::vector<const json*> out;
  for (const json& row : rows)
    if (wanted(row) && out.size() < most) out.push_back(&row);
  return out;
}

std::string client_html(const json& comparison) {
  const json& rows = list(comparison, "client");
  const auto of_all = rows_of(
      rows, [](const json& row) { return text(row, "subject").empty(); }, kMostClientRows);
  if (of_all.empty()) return {};
  const auto of_each = rows_of(
      rows, [](const json& row) { return !text(row, "subject").empty(); }, kMostClientRows);
  std::vector<const json*> all = of_all;
  all.insert(all.end(), of_each.begin(), of_each.end());
  const double reach = share_reach(all);
  std::string out = changes_table("table-all", "All requests", of_all, reach);
  if (!of_each.empty()) out += changes_table("table-each", "Endpoint by endpoint", of_each, reach);
  return out +
         "<p class=\"soft\">A bar spans the 95% interval of the change, its thick part is the "
         "estimate, and the line in the middle is no change. q is the share of false alarms that "
         "has to be put up with to believe a change, with regard to how many figures were looked "
         "at.</p>";
}

std::string ledger_html(const json& comparison) {
  const json& lines = list(member(comparison, "ledger"), "lines");
  if (lines.empty()) return {};
  double reach = 0;
  for (const json& line : lines)
    reach = std::max(reach, std::fabs(number(member(line, "difference"), "value").value_or(0)));
  HtmlTable table("difference-table", "Mean time of each request by layer, and what it changed by",
                  {{"Layer"},
                   {"For", ColumnKind::kLong},
                   {"Base", ColumnKind::kNumber},
                   {"Run", ColumnKind::kNumber},
                   {"Change", ColumnKind::kNumber},
                   {"Verdict"},
                   {"less, more", ColumnKind::kLong},
                   {"95% interval", ColumnKind::kNumber}});
  size_t shown = 0;
  for (const json& line : lines) {
    if (++shown > kMostTableLines) break;
    const ChangeWords words = change_words(line, true);
    table.add_row({layer_cell(text(line, "layer")), shortened(text(line, "label"), 120),
                   escape(words.base), escape(words.run), escape(words.change), verdict_cell(words),
                   change_bar(number(member(line, "difference"), "value").value_or(0), reach,
                              text(line, "verdict")),
                   escape(words.interval)},
                  row_class(line));
  }
  return table.html() + "<p class=\"soft\">The lines sum to " +
         seconds_text(ledger_sum(comparison, "base")) + " in the base and to " +
         seconds_text(ledger_sum(comparison, "run")) + " in the run.</p>";
}

std::string queries_html(const json& comparison) {
  const auto rows = rows_of(
      list(comparison, "queries"), [](const json&) { return true; }, kMostTableLines);
  if (rows.empty()) return {};
  HtmlTable table("table-queries", "Statements of the database",
                  {{"Query"},
                   {"Statement", ColumnKind::kLong},
                   {"Figure"},
                   {"Base", ColumnKind::kNumber},
                   {"Run", ColumnKind::kNumber},
                   {"Change", ColumnKind::kNumber},
                   {"Verdict"}});
  for (const json* row : rows) {
    const ChangeWords words = change_words(*row, false);
    std::string figure =
        text(*row, "metric") == "calls_per_request" ? "calls per request" : "time of a call";
    table.add_row(
        {code(text(*row, "subject"), 40), code(text(*row, "label"), 160), escape(figure),
         escape(words.base), escape(words.run), escape(words.change), verdict_cell(words)},
        row_class(*row));
  }
  return table.html() + reasons_html(rows);
}

std::string surroundings_html(const json& comparison) {
  const json& rows = list(comparison, "environment");
  if (rows.empty()) return "<p>Nothing that is known of: the same machine, versions and plan.</p>";
  HtmlTable table("table-surroundings", "Machine, versions and plan",
                  {{"What"}, {"Base", ColumnKind::kLong}, {"Run", ColumnKind::kLong}, {"Weight"}});
  size_t shown = 0;
  for (const json& row : rows) {
    if (++shown > kMostTableLines) break;
    const std::string weight = text(row, "weight");
    const auto value = [&](const char* side) {
      const std::string words = text(row, side);
      return words.empty() ? std::string("–") : shortened(words, 160);
    };
    table.add_row({code(text(row, "key"), 80), value("base"), value("run"),
                   weight == "note" ? "note" : "<b>" + shortened(weight, 20) + "</b>"});
  }
  return table.html();
}

std::string runs_html(const json& comparison) {
  HtmlTable table("table-runs", "The runs",
                  {{"Run"},
                   {""},
                   {"Requests", ColumnKind::kNumber},
                   {"Measured", ColumnKind::kNumber},
                   {"Blocks", ColumnKind::kNumber},
                   {"Its verdict"},
                   {"Its bottleneck"}});
  const auto add = [&](const json& run, const char* part) {
    const auto requests = number(run, "requests");
    const std::string cause = text(run, "cause");
    table.add_row({code(text(run, "id"), 60), part, requests ? grouped(*requests) : "–",
                   grouped(number(run, "window_s").value_or(0)) + " s",
                   grouped(number(run, "blocks").value_or(0)) + " of " +
                       grouped(number(run, "block_s").value_or(0)) + " s",
                   shortened(text(run, "verdict"), 30), cause.empty() ? "–" : code(cause, 60)});
  };
  add(member(comparison, "run"), "judged");
  size_t shown = 0;
  for (const json& base : list(comparison, "base"))
    if (++shown <= kMostTableLines) add(base, "base");
  std::string out = table.html() + "<p class=\"soft\">Measured " +
                    shortened(method_text(comparison), 300) + ".</p>";
  for (const std::string& note : texts(comparison, "notes"))
    out += "<p class=\"soft\">" + shortened(note) + ".</p>";
  if (const std::string command = flame_command(comparison); !command.empty())
    out += "<p>Which functions gained and lost, as a flame graph: " + code(command, 200) + "</p>";
  return out;
}

std::string warnings_html(const json& comparison) {
  std::string out;
  size_t shown = 0;
  for (const json& row : list(comparison, "environment"))
    if (text(row, "weight") != "note" && ++shown <= 6)
      out += "<p class=\"alert\">" + shortened(environment_text(row), 260) + "</p>";
  return out;
}

}  // namespace

std::string comparison_to_html(const json& comparison) {
  const json& verdict = member(comparison, "verdict");
  const std::string label = text(verdict, "label");
  const std::string name = cut(text(member(comparison, "run"), "name"), 80);
  HtmlDocument page;
  page.title = name + ", compared: " + cut(label, 30);
  page.version = text(comparison, "plumb_version");
  page.header = "<header><h1>" + escape(name) + ", compared</h1><p>" +
                shortened(compared_runs_text(comparison), 300) + "</p></header>\n";
  page.main = compared_section(
      page, "verdict", "Verdict",
      verdict_head(label, text(verdict, "conclusion")) + "</div>" + warnings_html(comparison));
  page.main += compared_section(page, "client", "What the client saw", client_html(comparison));
  page.main +=
      compared_section(page, "layers", "Which layer it came from", ledger_html(comparison));
  page.main += compared_section(page, "queries", "Queries", queries_html(comparison));
  page.main += compared_section(page, "surroundings", "What differs beside the service",
                                surroundings_html(comparison));
  page.main += compared_section(page, "runs", "The runs", runs_html(comparison));
  return page.html();
}

}  // namespace plumb::report
