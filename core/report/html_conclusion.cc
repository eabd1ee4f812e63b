#include <algorithm>
#include <cmath>

#include "core/base/number_text.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/html_verdict.h"
#include "core/report/json_read.h"
#include "core/report/load_text.h"
#include "core/report/matrix_row.h"
#include "core/report/remarks.h"
#include "core/report/svg_bars.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostFindings = 12;
constexpr size_t kMostMatrixRows = 80;
constexpr size_t kMostLedgerLines = 40;
constexpr size_t kMostAlerts = 8;
constexpr size_t kLongestShownCheck = 4000;  // bytes

std::string figure(const std::string& name, const std::string& value, std::string_view note = {}) {
  std::string out = "<div><dt>" + escape(name) + "</dt><dd>" + value;
  if (!note.empty()) out += " <span class=\"soft\">" + escape(note) + "</span>";
  return out + "</dd></div>";
}

std::string with_unit(const std::optional<double>& ms) {
  return ms ? milliseconds(ms) + "<span class=\"unit\"> ms</span>" : "–";
}

// The figures people look for first.
std::string figures(const json& report) {
  const auto value = [&](const char* name) { return fact_value(report, name); };
  const auto ms = [&](const char* name) {
    const auto seconds = value(name);
    return seconds ? std::optional(*seconds * 1e3) : std::nullopt;
  };
  if (!value("requests.count")) return {};
  std::string out = "<dl class=\"figures\">";
  out += figure("requests", grouped(*value("requests.count")));
  out += figure("rate", plain_number(value("requests.rate"), "requests/s"));
  out += figure("p50", with_unit(ms("latency.p50")));
  out += figure("p95", with_unit(ms("latency.p95")));
  out += figure("p99", with_unit(ms("latency.p99")));
  out += figure("errors", plain_number(value("requests.failed"), "requests"),
                value("requests.error_rate").value_or(0) > 0
                    ? ratio_text(*value("requests.error_rate"))
                    : "");
  return out + "</dl>";
}

// What went wrong while the run lasted, and when a plugin did not see.
std::string alerts(const json& report) {
  std::string out;
  const std::vector<std::string> events = event_sentences(report);
  for (size_t i = 0; i < events.size() && i < kMostAlerts; ++i)
    out += "<p class=\"alert\"><b>Event</b> at " + shortened(events[i], 500) + "</p>";
  if (events.size() > kMostAlerts)
    out += "<p class=\"alert\">" + grouped(static_cast<double>(events.size() - kMostAlerts)) +
           " more kinds of <a href=\"#events\">events</a></p>";
  for (const Unseen& unseen : unseen_stretches(report))
    out += "<p class=\"alert\"><b>" + shortened(unseen.plugin, 60) + "</b> " + escape(unseen.what) +
           (unseen.because.empty() ? "" : ": " + shortened(unseen.because)) + "</p>";
  return out;
}

// A command is shown whole or not at all: half of one does something else.
std::string check_html(const std::string& check) {
  return check.size() > kLongestShownCheck
             ? "<span class=\"soft\">a long command, in report.json</span>"
             : "<code class=\"block\">" + escape(check) + "</code>";
}

std::string finding_html(const HtmlPage& page, const json& finding) {
  const std::string because_of = text(finding, "because_of");
  std::string out = "<article class=\"finding\"><h3>" + code(text(finding, "cause"), 60) +
                    " <span class=\"soft\">" + shortened(text(finding, "layer"), 30) +
                    "</span></h3>";
  out += "<p>" + shortened(text(finding, "says"), 600) + "</p>";
  if (!because_of.empty())
    out += "<p class=\"soft\">It follows from " + code(because_of, 60) + ".</p>";
  if (const std::string after = text(finding, "after"); !after.empty())
    out += "<p class=\"soft\">It stands out once " + code(after, 60) + " is gone.</p>";
  const std::vector<std::string> advice = texts(finding, "advice");
  if (!advice.empty()) {
    out += "<ol>";
    for (size_t i = 0; i < advice.size() && i < 8; ++i)
      out += "<li>" + shortened(advice[i], 600) + "</li>";
    out += "</ol>";
  }
  out += "<dl class=\"facts\">";
  if (const auto cost = number(finding, "cost_ms"))
    out += "<div><dt>costs</dt><dd>" + milliseconds(cost) + " ms of each request</dd></div>";
  if (const std::string what_if = text(finding, "what_if"); !what_if.empty())
    out += "<div><dt>then</dt><dd>" + shortened(what_if, 400) + "</dd></div>";
  if (const auto confidence = number(finding, "confidence"))
    out += "<div><dt>confidence</dt><dd>" + ratio_text(*confidence) + "</dd></div>";
  if (const std::string check = multiline(finding, "check"); !check.empty())
    out += "<div><dt>check it with</dt><dd>" + check_html(check) + "</dd></div>";
  if (const std::string links = page.evidence(member(finding, "evidence")); !links.empty())
    out += "<div><dt>rests on</dt><dd>" + links + "</dd></div>";
  return out + "</dl></article>\n";
}

}  // namespace

std::string page_header(const HtmlPage& page) {
  const json& run = member(page.report, "run");
  // 2026-11-20T10:45:12.345Z, for people
  std::string started = text(run, "started");
  if (started.size() == 24 && started.back() == 'Z')
    started = started.substr(0, 10) + " " + started.substr(11, 8) + " UTC";
  std::string out = "<header><h1>" + shortened(text(run, "name"), 120) + "</h1><p>";
  out += "run " + code(text(run, "id"), 80);
  for (const std::string& part :
       {window_text(page.report), load_text(page.report), text(run, "target"), std::move(started)})
    if (!part.empty()) out += " <span class=\"sep\">·</span> " + shortened(part, 120);
  if (const std::string state = text(run, "state"); !state.empty() && state != "finished")
    out += " <span class=\"sep\">·</span> <b>" +
           (state == "running" ? std::string("cut off") : shortened(state, 30)) + "</b>";
  return out + "</p></header>\n";
}

std::string verdict_section(HtmlPage& page) {
  const json& verdict = member(page.report, "verdict");
  const std::string label = text(verdict, "label");
  std::string body = verdict_head(label, text(verdict, "conclusion"));
  if (const std::string what_if = text(verdict, "what_if"); !what_if.empty())
    body += "<p>" + shortened(what_if, 500) + "</p>";
  const json& cause = member(verdict, "bottleneck");
  if (cause.is_object()) {
    body += "<p class=\"soft\">Cause " + code(text(cause, "cause"), 60);
    if (const auto confidence = number(cause, "confidence"))
      body += ", confidence " + ratio_text(*confidence);
    body += "</p>";
  }
  body += "</div>" + figures(page.report);
  const json& validity = member(page.report, "validity");
  const std::string status = text(validity, "status");
  body += "<p class=\"measurement\">Measurement: <b>" +
          shortened(status.empty() ? "unknown" : spaced(status), 40) + "</b>";
  const std::string conclusion = text(verdict, "conclusion");
  for (const json& check : list(validity, "checks")) {
    // Said already: as the conclusion, or by the lines on what went dark.
    const std::string sentence = text(check, "sentence");
    if (flag(check, "passed") || sentence == conclusion) continue;
    if (text(check, "name") != "signals-complete") body += "<br>" + shortened(sentence, 500);
  }
  body += "</p>" + alerts(page.report);
  for (const std::string& note : texts(page.report, "notes"))
    if (note.rfind("The run ", 0) == 0) body += "<p class=\"alert\">" + shortened(note) + "</p>";
  return page.section("verdict", "Verdict", body);
}

std::string todo_section(HtmlPage& page) {
  std::string body;
  std::string behind;
  size_t shown = 0;
  for (const json& finding : list(page.report, "findings")) {
    if (++shown > kMostFindings) break;
    (text(finding, "because_of").empty() ? body : behind) += finding_html(page, finding);
  }
  if (!behind.empty())
    body += "<details><summary>What follows from these causes</summary>" + behind + "</details>";
  return page.section("todo", "What to do", body);
}

namespace {

// Between what a line of the ledger lies.
std::string interval_of(const json& line) {
  const auto low = number(line, "low_ms");
  const auto high = number(line, "high_ms");
  return low && high ? milliseconds(low) + "–" + milliseconds(high) : "–";
}

}  // namespace

std::string ledger_section(HtmlPage& page) {
  const json& ledger = list(page.report, "ledger");
  const json& summary = member(page.report, "ledger_summary");
  const auto total = number(summary, "total_ms");
  if (ledger.empty() || !total || *total <= 0 || !is_judged(page.report)) return {};
  HtmlTable table("ledger-table", "Mean milliseconds of each request, by layer",
                  {{"Layer"},
                   {"For", ColumnKind::kLong},
                   {"ms", ColumnKind::kNumber},
                   {"95%", ColumnKind::kNumber, ColumnWidth::kWideOnly},
                   {"Of the whole", ColumnKind::kPicture},
                   {"Share", ColumnKind::kNumber, ColumnWidth::kWideOnly},
                   {"Evidence", ColumnKind::kText, ColumnWidth::kWideOnly}});
  table.hide_caption();
  double at = 0;
  for (size_t i = 0; i < ledger.size() && i < kMostLedgerLines; ++i) {
    const json& line = ledger[i];
    const double ms = std::max(0.0, number(line, "ms").value_or(0));
    const std::string layer = text(line, "layer");
    const std::string note = text(line, "note");
    std::string label = shortened(text(line, "label"), 120);
    if (!note.empty()) label += " <span class=\"soft\">" + shortened(note, 240) + "</span>";
    const auto share = number(line, "share");
    table.add_row({layer_cell(layer), label, milliseconds(number(line, "ms")), interval_of(line),
                   waterfall_bar(at / *total, (at + ms) / *total, layer),
                   share ? ratio_text(*share) : "–", page.evidence(member(line, "evidence"))});
    at += ms;
  }
  std::string body = table.html() + "<p>";
  if (const auto closes = number(summary, "closes"))
    body += "The ledger closes to " + ratio_text(*closes) + ": " +
            milliseconds(number(summary, "unexplained_ms")) + " of " + milliseconds(total) +
            " ms are spent on nothing that was watched.";
  if (number(summary, "overlap_ms").value_or(0) > 0.005)
    body += " The layers' lines were " + milliseconds(number(summary, "overlap_ms")) +
            " ms longer than the client waited (work beside the request) and are shown in "
            "proportion.";
  if (const std::string note = text(summary, "note"); !note.empty())
    body += " " + shortened(note, 400) + ".";
  return page.section("ledger", "Where each request’s " + milliseconds(total) + " ms goes",
                      body + "</p>");
}

std::string matrix_section(HtmlPage& page) {
  const json& matrix = list(page.report, "matrix");
  if (matrix.empty()) return {};
  HtmlTable table("matrix-table", "Bottleneck matrix",
                  {{"Component"},
                   {"Metric", ColumnKind::kLong},
                   {"Test", ColumnKind::kText, ColumnWidth::kWideOnly},
                   {"Expected", ColumnKind::kNumber},
                   {"Actual", ColumnKind::kNumber},
                   {"Cost, ms", ColumnKind::kNumber},
                   {"Bottle\u00ADneck?"},  // may be broken there
                   {"Evidence", ColumnKind::kText, ColumnWidth::kWideOnly}});
  table.hide_caption();
  for (size_t i = 0; i < matrix.size() && i < kMostMatrixRows; ++i) {
    const json& row = matrix[i];
    const bool hit = flag(row, "bottleneck");
    table.add_row({shortened(text(row, "component"), 60), shortened(text(row, "metric"), 80),
                   code(text(row, "test"), 40), shortened(text(row, "expected"), 30),
                   shortened(text(row, "actual"), 30), milliseconds(number(row, "cost_ms")),
                   hit ? "<b>YES</b>" : row_answer(row), page.evidence(member(row, "evidence"))},
                  hit ? " class=\"hit\"" : "");
  }
  return page.section("matrix", "Bottleneck matrix", table.html());
}

}  // namespace plumb::report
