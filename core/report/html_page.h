// The sections of the HTML report. Each function reads report.json only and gives one section, or
// nothing where the report has nothing to say; html.cc puts them in order.
#ifndef PLUMB_CORE_REPORT_HTML_PAGE_H_
#define PLUMB_CORE_REPORT_HTML_PAGE_H_

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/report/svg_chart.h"

namespace plumb::report {

// One page while it is put together. The report must outlive it.
struct HtmlPage {
  explicit HtmlPage(const nlohmann::json& document);

  const nlohmann::json& report;
  // Ids of the facts that something in the report rests on, in the facts' order: each has a row
  // that evidence links to.
  std::vector<std::string> cited;
  std::set<std::string> linked;                     // the same, to look up
  std::optional<TimeAxis> axis;                     // empty when the report has no timeline
  nlohmann::json charts = nlohmann::json::array();  // data for the script, of charts drawn so far
  std::vector<std::pair<std::string, std::string>> contents;  // id and heading of sections so far

  // Links to the facts that `ids` names.
  std::string evidence(const nlohmann::json& ids) const;
  // A section with its heading, entered into the contents; empty when `body` is.
  std::string section(std::string_view id, std::string_view heading, const std::string& body);
  // A chart of the timeline, its data kept for the script; empty without axis or points.
  std::string chart(TimeChart chart);
};

// html_conclusion.cc
std::string page_header(const HtmlPage& page);
std::string verdict_section(HtmlPage& page);
std::string todo_section(HtmlPage& page);
std::string ledger_section(HtmlPage& page);
std::string matrix_section(HtmlPage& page);
// html_capacity.cc
std::string capacity_section(HtmlPage& page);
// html_stages.cc
std::string over_time_section(HtmlPage& page);
std::string stages_section(HtmlPage& page);
std::string endpoint_ledgers(const HtmlPage& page);  // a table, part of the endpoints' section
// html_traffic.cc
std::string latency_section(HtmlPage& page);
std::string throughput_section(HtmlPage& page);
std::string endpoints_section(HtmlPage& page);
std::string errors_section(HtmlPage& page);
std::string slos_section(HtmlPage& page);
// html_profiles.cc: flame graphs, as much of them as fits into `bytes`.
std::string profiles_section(HtmlPage& page, size_t bytes);
// html_layers.cc
std::string database_section(HtmlPage& page);
std::string host_section(HtmlPage& page);
std::string other_layers_section(HtmlPage& page);
// html_record.cc
std::string events_section(HtmlPage& page);
std::string configuration_section(HtmlPage& page);
std::string validity_section(HtmlPage& page);
std::string cost_section(HtmlPage& page);
std::string notes_section(HtmlPage& page);
std::string analysis_section(HtmlPage& page);
// html_facts.cc: the cited facts, and as many of the others as fit into `bytes`.
std::string evidence_section(HtmlPage& page, size_t bytes);
// Ids of facts under any `evidence` or `evidence_ids` in the report, which has them.
std::vector<std::string> cited_facts(const nlohmann::json& report);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_HTML_PAGE_H_
