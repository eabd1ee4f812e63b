#include <algorithm>

#include "core/base/json_text.h"
#include "core/base/number_text.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/load_text.h"
#include "core/report/plain_text.h"

namespace plumb::report {
namespace {

using nlohmann::json;

constexpr size_t kMostEvents = 80;
constexpr size_t kLongestPlan = 12000;  // characters

std::string at_text(const json& entry) {
  const auto at = number(entry, "at_s");
  return at ? grouped(*at, 1) + " s" : "–";
}

// A document of unknown shape as nested lists; evidence becomes links.
std::string document_html(const HtmlPage& page, const json& value, int depth) {
  if (value.is_string()) return shortened(one_line(value.get_ref<const std::string&>()), 2000);
  if (const auto figure = number(value)) return plain_number(figure, "1");
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_structured() || depth > 5) return "–";
  std::string out = value.is_object() ? "<dl class=\"document\">" : "<ul>";
  size_t shown = 0;
  for (const auto& [key, item] : value.items()) {
    if (++shown > 60) break;
    if (value.is_array()) {
      out += "<li>" + document_html(page, item, depth + 1) + "</li>";
      continue;
    }
    const bool evidence = (key == "evidence_ids" || key == "evidence") && item.is_array();
    out += "<div><dt>" + shortened(spaced(one_line(key)), 80) + "</dt><dd>" +
           (evidence ? page.evidence(item) : document_html(page, item, depth + 1)) + "</dd></div>";
  }
  return out + (value.is_object() ? "</dl>" : "</ul>");
}

}  // namespace

std::string events_section(HtmlPage& page) {
  std::string body;
  HtmlTable health(
      "health-table", "What plugins could see",
      {{"Plugin"}, {"At", ColumnKind::kNumber}, {"Health"}, {"Because", ColumnKind::kLong}});
  for (const json& change : list(page.report, "health")) {
    if (health.rows() >= kMostEvents) break;
    const std::string state = text(change, "health");
    health.add_row({shortened(text(change, "plugin"), 60), at_text(change),
                    state == "ok" ? "ok" : "<b>" + shortened(state, 20) + "</b>",
                    shortened(text(change, "message"))});
  }
  if (health.rows() != 0) body += health.html();
  HtmlTable events(
      "events-table", "Events",
      {{"At", ColumnKind::kNumber}, {"From"}, {"Level"}, {"Kind"}, {"Message", ColumnKind::kLong}});
  const json& all = list(page.report, "events");
  for (const json& event : all) {
    if (events.rows() >= kMostEvents) break;
    events.add_row({at_text(event), shortened(text(event, "plugin"), 60),
                    shortened(text(event, "level"), 20), code(text(event, "kind"), 60),
                    shortened(text(event, "message"))});
  }
  if (events.rows() != 0) body += events.html();
  if (all.size() > kMostEvents)
    body += "<p class=\"soft\">" + grouped(static_cast<double>(all.size() - kMostEvents)) +
            " more events are in report.json.</p>";
  return page.section("events", "Events and plugin health", body);
}

std::string configuration_section(HtmlPage& page) {
  std::string body;
  const json& environment = member(page.report, "environment");
  if (environment.is_object() && !environment.empty()) {
    HtmlTable table("environment-table", "Environment", {{"Key"}, {"Value", ColumnKind::kLong}});
    const auto add = [&](const std::string& key, const json& value) {
      if (table.rows() < 80)
        table.add_row({shortened(one_line(key), 80), value.is_structured()
                                                         ? shortened(one_line(json_text(value)))
                                                         : cell(value, "")});
    };
    for (const auto& [key, value] : environment.items()) {
      if (!value.is_object()) {
        add(key, value);
        continue;
      }
      for (const auto& [inner, detail] : value.items()) add(key + ": " + inner, detail);
    }
    body += table.html();
  }
  const json& plan = member(page.report, "plan");
  if (plan.is_object() && !plan.empty())
    body +=
        "<details><summary>The plan, with its defaults filled in</summary><pre tabindex=\"0\">" +
        shortened(many_lines(json_text(plan, 2)), kLongestPlan) + "</pre></details>";
  return page.section("configuration", "Configuration and environment", body);
}

std::string validity_section(HtmlPage& page) {
  const json& validity = member(page.report, "validity");
  HtmlTable table("validity-table", "Checks of the measurement",
                  {{"Check"}, {"Result"}, {"Because", ColumnKind::kLong}, {"Evidence"}});
  table.hide_caption();
  for (const json& check : list(validity, "checks")) {
    if (table.rows() >= 60) break;
    const bool passed = flag(check, "passed");
    table.add_row(
        {code(text(check, "name"), 60),
         passed                 ? "passed"
         : flag(check, "fatal") ? "<b>FAILED</b>"
                                : "<b>doubtful</b>",
         shortened(text(check, "sentence"), 400), page.evidence(member(check, "evidence"))},
        passed ? "" : " class=\"hit\"");
  }
  std::string body =
      "<p>Whether the measurement can be trusted is decided before any cause is "
      "named. This one is <b>" +
      shortened(spaced(text(validity, "status")), 40) + "</b>.</p>";
  if (table.rows() != 0) body += table.html();
  return page.section("validity", "Validity", body);
}

std::string cost_section(HtmlPage& page) {
  const json& plugins = list(member(page.report, "self"), "plugins");
  if (plugins.empty()) return {};
  HtmlTable table("cost-table", "What each process of plumb's used in the steady stage",
                  {{"Process"},
                   {"Share of one processor", ColumnKind::kNumber},
                   {"Inside the database server", ColumnKind::kNumber},
                   {"Memory", ColumnKind::kNumber},
                   {"Samples every", ColumnKind::kNumber},
                   {"Latest sample late by", ColumnKind::kNumber},
                   {"Samples skipped", ColumnKind::kNumber},
                   {"Signals dropped", ColumnKind::kNumber}});
  for (const json& plugin : plugins)
    if (table.rows() < 60)
      table.add_row({shortened(text(plugin, "plugin"), 60),
                     plain_number(number(plugin, "cpu_ratio"), "ratio"),
                     plain_number(number(plugin, "server_cpu_ratio"), "ratio"),
                     plain_number(number(plugin, "resident_bytes"), "bytes"),
                     plain_number(number(plugin, "interval_s"), "seconds"),
                     plain_number(number(plugin, "late_s"), "seconds"),
                     plain_number(number(plugin, "skipped"), "1"),
                     plain_number(number(plugin, "dropped"), "1")});
  return page.section("cost", "What watching cost", table.html());
}

std::string notes_section(HtmlPage& page) {
  std::string body;
  const std::vector<std::string> notes = texts(page.report, "notes");
  for (size_t i = 0; i < notes.size() && i < 40; ++i)
    body += "<li>" + shortened(notes[i], 500) + "</li>";
  return page.section("notes", "Notes", body.empty() ? body : "<ul>" + body + "</ul>");
}

std::string analysis_section(HtmlPage& page) {
  const json& analysis = member(page.report, "analysis");
  if (analysis.is_null() || analysis.empty()) return {};
  return page.section(
      "analysis", "Written by a language model",
      "<div class=\"model\"><p><b>A language model wrote this section</b> from the facts above. It "
      "had no say in the verdict, the ledger or the matrix.</p>" +
          document_html(page, analysis, 0) + "</div>");
}

}  // namespace plumb::report
