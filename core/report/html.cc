#include <algorithm>

#include "core/report/assets.h"
#include "core/report/html_page.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/report.h"

namespace plumb::report {
namespace {

using nlohmann::json;

// The page must open at once and travel by mail: facts fill what the rest leaves of this.
constexpr size_t kLargestPage = 480 * 1024;
constexpr size_t kMostPoints = 700;

std::optional<TimeAxis> axis_of(const json& report) {
  const json& timeline = member(report, "timeline");
  TimeAxis axis;
  axis.interval_s = number(timeline, "interval_s").value_or(0);
  for (const json& t : list(timeline, "t_s")) {
    const auto start = number(t);
    if (!start || axis.starts_s.size() >= kMostPoints) break;
    if (!axis.starts_s.empty() && *start <= axis.starts_s.back()) break;
    axis.starts_s.push_back(*start);
  }
  if (axis.starts_s.empty() || !(axis.interval_s > 0)) return std::nullopt;
  for (const json& stage : list(timeline, "stages")) {
    const auto start = number(stage, "start_s");
    const auto end = number(stage, "end_s");
    if (start && end && axis.stages.size() < 50)
      axis.stages.push_back({*start, *end, text(stage, "kind")});
  }
  return axis;
}

std::string contents_html(const HtmlPage& page) {
  std::string out = "<nav aria-label=\"Sections\"><ul>";
  for (const auto& [id, heading] : page.contents)
    out += "<li><a href=\"#" + id + "\">" + escape(heading) + "</a></li>";
  return out + "</ul></nav>\n";
}

std::string head_html(const json& report) {
  const std::string name = text(member(report, "run"), "name");
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '";
  out.append(kStyleSheetHash).append("'; script-src '").append(kScriptHash);
  out += "'; img-src data:; base-uri 'none'; form-action 'none'\">\n";
  out +=
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n";
  out += "<title>" + shortened(name.empty() ? "run" : name, 80) + ": " +
         shortened(text(member(report, "verdict"), "label"), 30) + " – plumb</title>\n<style>";
  return out.append(kStyleSheet) + "</style>\n</head>\n";
}

}  // namespace

HtmlPage::HtmlPage(const json& document)
    : report(document),
      cited(cited_facts(document)),
      linked(cited.begin(), cited.end()),
      axis(axis_of(document)) {}

std::string HtmlPage::evidence(const json& ids) const {
  std::string out;
  if (!ids.is_array()) return out;
  size_t shown = 0;
  for (const json& id : ids) {
    if (!id.is_string() || ++shown > 40) continue;
    const std::string name = shortened(id.get_ref<const std::string&>(), 20);
    if (!out.empty()) out += ' ';
    // Linked ids are letters and digits, so they need no escaping in an address.
    out +=
        linked.count(name) != 0 ? "<a class=\"id\" href=\"#" + name + "\">" + name + "</a>" : name;
  }
  return out;
}

std::string HtmlPage::section(std::string_view id, std::string_view heading,
                              const std::string& body) {
  if (body.empty()) return {};
  contents.emplace_back(id, heading);
  const std::string name(id);
  return "<section id=\"" + name + "\" aria-labelledby=\"" + name + "-h\"><h2 id=\"" + name +
         "-h\">" + escape(heading) + "</h2>\n" + body + "</section>\n";
}

std::string HtmlPage::chart(TimeChart chart) {
  if (!axis || !has_points(chart)) return {};
  charts.push_back(time_chart_data(chart, *axis));
  return time_chart_html(chart, *axis);
}

std::string to_html(const json& report) {
  HtmlPage page(report);
  std::string main;
  for (const auto section :
       {verdict_section, todo_section, ledger_section, matrix_section, latency_section,
        throughput_section, endpoints_section, errors_section, slos_section, database_section,
        host_section, other_layers_section, events_section, configuration_section})
    main += section(page);
  std::string tail;
  // Facts stand before what follows them, but take only the room that all else leaves.
  std::vector<std::pair<std::string, std::string>> before = std::move(page.contents);
  page.contents.clear();
  for (const auto section : {validity_section, cost_section, notes_section, analysis_section})
    tail += section(page);
  std::vector<std::pair<std::string, std::string>> behind = std::move(page.contents);
  page.contents = std::move(before);
  const std::string data = script_safe({{"charts", page.charts}});
  const size_t used =
      main.size() + tail.size() + data.size() + kStyleSheet.size() + kScript.size() + 4096;
  main += evidence_section(page, used < kLargestPage ? kLargestPage - used : 0);
  page.contents.insert(page.contents.end(), behind.begin(), behind.end());

  std::string out = head_html(report);
  out += "<body>\n<a class=\"skip\" href=\"#verdict\">Skip to the verdict</a>\n";
  out += page_header(page) + "<div class=\"page\">\n" + contents_html(page) + "<main>\n" + main +
         tail + "</main>\n</div>\n";
  out += "<footer><p>plumb " + shortened(text(report, "plumb_version"), 30) +
         " · this page is complete in itself and loads nothing</p></footer>\n";
  out += "<script type=\"application/json\" id=\"data\">" + data + "</script>\n<script>";
  return out.append(kScript) + "</script>\n</body>\n</html>\n";
}

}  // namespace plumb::report
