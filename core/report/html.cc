#include <algorithm>
#include <initializer_list>
#include <utility>

#include "core/report/html_document.h"
#include "core/report/html_page.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/report.h"

namespace plumb::report {
namespace {

using nlohmann::json;

// The page must open at once and travel by mail: flame graphs and facts fill what the rest leaves
// of this.
constexpr size_t kLargestPage = 480 * 1024;
constexpr size_t kMostFlames = 200 * 1024;
constexpr size_t kFactsReserve = 60 * 1024;
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
      axis.stages.push_back({*start, *end, text(stage, "kind"), text(stage, "name")});
  }
  return axis;
}

// One section and its entry in the contents, kept apart until the page is put together.
struct PageSection {
  std::string html;
  std::vector<std::pair<std::string, std::string>> contents;
};

template <typename Make>
PageSection made(HtmlPage& page, Make&& make) {
  PageSection out;
  out.html = make(page);
  out.contents = std::move(page.contents);
  page.contents.clear();
  return out;
}

std::vector<PageSection> made_all(HtmlPage& page,
                                  std::initializer_list<std::string (*)(HtmlPage&)> sections) {
  std::vector<PageSection> out;
  for (const auto section : sections) out.push_back(made(page, section));
  return out;
}

size_t bytes_of(const std::vector<PageSection>& sections) {
  size_t out = 0;
  for (const PageSection& section : sections) out += section.html.size();
  return out;
}

std::string title_of(const json& report) {
  const std::string name = text(member(report, "run"), "name");
  return cut(name.empty() ? "run" : name, 80) + ": " +
         cut(text(member(report, "verdict"), "label"), 30);
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
  // What has to be there is made first. Flame graphs and facts take the room that it leaves,
  // wherever they stand.
  const auto traffic =
      made_all(page, {verdict_section, todo_section, ledger_section, over_time_section,
                      stages_section, matrix_section, latency_section, throughput_section,
                      endpoints_section, errors_section, slos_section, capacity_section});
  const auto layers = made_all(page, {database_section, host_section, other_layers_section,
                                      events_section, configuration_section});
  const auto tail =
      made_all(page, {validity_section, cost_section, notes_section, analysis_section});
  const size_t used = bytes_of(traffic) + bytes_of(layers) + bytes_of(tail) +
                      script_safe(page.charts).size() + bytes_around_sections();
  size_t left = used < kLargestPage ? kLargestPage - used : 0;
  const size_t for_flames = std::min(kMostFlames, left > kFactsReserve ? left - kFactsReserve : 0);
  const PageSection flames =
      made(page, [&](HtmlPage& p) { return profiles_section(p, for_flames); });
  left -= std::min(left, flames.html.size());
  const PageSection evidence = made(page, [&](HtmlPage& p) { return evidence_section(p, left); });

  HtmlDocument document;
  const auto add = [&](const PageSection& section) {
    document.main += section.html;
    document.contents.insert(document.contents.end(), section.contents.begin(),
                             section.contents.end());
  };
  for (const PageSection& section : traffic) add(section);
  add(flames);
  for (const PageSection& section : layers) add(section);
  add(evidence);
  for (const PageSection& section : tail) add(section);
  document.title = title_of(report);
  document.header = page_header(page);
  document.charts = page.charts;
  document.version = text(report, "plumb_version");
  return document.html();
}

}  // namespace plumb::report
