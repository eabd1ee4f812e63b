// Flame graphs of the stack profiles, and the functions that weigh most.
#include <algorithm>
#include <numeric>

#include "core/base/number_text.h"
#include "core/report/flame_tree.h"
#include "core/report/html_page.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/svg_flame.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using profile::kRun;
using profile::PrunedNode;

constexpr size_t kMostProfilesShown = 6;
constexpr size_t kMostFunctionsShown = 12;
constexpr double kLeastSelf = 0.0005;  // shares of time spent in a function itself, to be told

std::string share_of(double weight, double whole) {
  return ratio_text(whole > 0 ? weight / whole : 0);
}

// What each node weighs without what stands below it.
std::vector<double> selves_of(const std::vector<PrunedNode>& nodes) {
  std::vector<double> out;
  for (const PrunedNode& node : nodes) out.push_back(node.total[kRun]);
  for (size_t i = 1; i < nodes.size(); ++i) out[nodes[i].parent] -= nodes[i].total[kRun];
  return out;
}

std::vector<FlameBox> boxes_of(const std::vector<PrunedNode>& nodes, const std::string& unit) {
  const std::vector<double> selves = selves_of(nodes);
  const double whole = nodes.empty() ? 0 : nodes[0].total[kRun];
  std::vector<FlameBox> out;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const double weight = nodes[i].total[kRun];
    std::string told = share_of(weight, whole) + ", " + value_text(weight, unit);
    if (i != 0 && selves[i] > kLeastSelf * whole) told += "; itself " + share_of(selves[i], whole);
    out.push_back({nodes[i].parent, nodes[i].name, std::move(told), weight,
                   i == 0 ? "w-root" : flame_tone(nodes[i].name)});
  }
  return out;
}

std::string functions_table(const std::string& id, const std::string& caption, const json& rows,
                            double whole, const std::string& unit) {
  HtmlTable table(id, caption,
                  {{"Function", ColumnKind::kLong},
                   {"itself", ColumnKind::kNumber},
                   {"share", ColumnKind::kNumber},
                   {"with what it calls", ColumnKind::kNumber},
                   {"share", ColumnKind::kNumber}});
  for (const json& row : rows) {
    if (table.rows() >= kMostFunctionsShown) break;
    const double self = number(row, "self").value_or(0);
    const double total = number(row, "total").value_or(0);
    table.add_row({code(text(row, "name"), 120), plain_number(self, unit), share_of(self, whole),
                   plain_number(total, unit), share_of(total, whole)});
  }
  return table.rows() == 0 ? std::string() : table.html();
}

std::string waits_table(const std::string& id, const json& rows, double whole,
                        const std::string& unit) {
  HtmlTable table(id, "What threads waited in",
                  {{"Waiting in", ColumnKind::kLong},
                   {"called by", ColumnKind::kLong},
                   {"for", ColumnKind::kNumber},
                   {"share", ColumnKind::kNumber},
                   {""}});
  for (const json& row : rows) {
    if (table.rows() >= 2 * kMostFunctionsShown) break;
    const double weight = number(row, "weight").value_or(0);
    if (weight < kLeastSelf * whole) continue;
    const std::string caller = text(row, "caller");
    table.add_row({code(text(row, "function"), 120), caller.empty() ? "–" : code(caller, 120),
                   plain_number(weight, unit), share_of(weight, whole),
                   flag(row, "idle") ? "<span class=\"soft\">for work</span>" : ""});
  }
  if (table.rows() == 0) return {};
  return table.html() +
         "<p class=\"soft\">Who waits for work holds no request up; a read or a poll may be "
         "either, "
         "and its caller tells.</p>\n";
}

std::string sentence_of(const json& profile, double whole, const std::string& unit) {
  std::string out = value_text(whole, unit) + " in all";
  if (const auto each = number(profile, "per_request"))
    out += ", " + value_text(*each, unit) + " of each request";
  return shortened(out + "; from plugin " + text(profile, "plugin"), 200);
}

std::string profile_html(const json& profile, size_t index, size_t bytes) {
  const std::string name = cut(text(profile, "name"), 60);
  const std::string unit = text(profile, "unit");
  const double whole = number(profile, "total").value_or(0);
  const std::string id = std::to_string(index + 1);
  std::string out = "<h3>" + code(name, 60) + " <span class=\"soft\">" +
                    shortened(text(profile, "help"), 200) + "</span></h3>\n<p>" +
                    sentence_of(profile, whole, unit) + ".</p>\n";
  const json& tree = member(profile, "tree");
  const std::vector<PrunedNode> nodes = flame_tree_nodes(tree);
  if (!(whole > 0) || nodes.size() < 2)
    return out + "<p class=\"soft\">No stack was seen in the time that is judged.</p>\n";
  const json& by_self = list(profile, "by_self");
  const std::string most = by_self.empty() ? std::string() : text(by_self[0], "name");
  const FlameGraph graph =
      flame_svg(boxes_of(nodes, unit),
                "Flame graph of " + name + ", " + value_text(whole, unit) + " in all; most in " +
                    cut(most, 80) + " itself. The tables below have the functions that weigh most.",
                bytes);
  const double least = number(tree, "least_share").value_or(0);
  out += "<figure class=\"flame\" id=\"flame-" + id + "\"><figcaption>Flame graph of " +
         escape(name) + "</figcaption>" + graph.svg + "</figure>\n<p class=\"soft\">";
  out += "What weighs less than " + ratio_text(least) + " of the whole stands as (other).";
  if (graph.left_out != 0)
    out += " To keep this page small, the " + grouped(static_cast<double>(graph.left_out)) +
           " lightest boxes are not drawn; report.json has them.";
  out += "</p>\n";
  if (const json& own = list(profile, "by_own"); !own.empty())
    out += functions_table("profile-own-" + id,
                           "The program's own functions, each with what the interpreter and "
                           "libraries spent for it",
                           own, whole, unit);
  if (const json& waits = list(profile, "waits"); !waits.empty())
    out += waits_table("profile-waits-" + id, waits, whole, unit);
  else
    out += functions_table("profile-self-" + id, "Functions that weigh most themselves", by_self,
                           whole, unit);
  const std::string totals =
      functions_table("profile-total-" + id, "Functions that weigh most with what they call",
                      list(profile, "by_total"), whole, unit);
  if (!totals.empty())
    out += "<details><summary>With what they call<span class=\"hidden\">: functions of " +
           escape(name) + "</span></summary>" + totals + "</details>\n";
  return out;
}

}  // namespace

std::string profiles_section(HtmlPage& page, size_t bytes) {
  const json& profiles = list(page.report, "profiles");
  if (profiles.empty()) return {};
  const size_t shown = std::min(profiles.size(), kMostProfilesShown);
  std::string body =
      "<p>Each box is a function, as wide as what was spent in it and in what it called; below it "
      "stand the functions it called. From left to right they stand by name, and a name always has "
      "the same colour.</p>\n";
  // What one does not need of its part is left to the next.
  for (size_t i = 0; i < shown; ++i) {
    const std::string html = profile_html(profiles[i], i, bytes / (shown - i));
    bytes -= std::min(bytes, html.size());
    body += html;
  }
  if (shown < profiles.size())
    body += "<p class=\"soft\">" + grouped(static_cast<double>(profiles.size() - shown)) +
            " more profiles are in report.json.</p>";
  return page.section("profiles", "Profiles", body);
}

}  // namespace plumb::report
