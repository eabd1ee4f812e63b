#include <algorithm>

#include "core/base/number_text.h"
#include "core/report/difference.h"
#include "core/report/difference_text.h"
#include "core/report/flame_tree.h"
#include "core/report/html_document.h"
#include "core/report/html_table.h"
#include "core/report/html_text.h"
#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/svg_flame.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using profile::kBase;
using profile::kRun;
using profile::PrunedNode;

constexpr size_t kLargestGraph = 350 * 1024;

// A box is as wide as its weight in both runs together, so that what is gone can still be seen.
std::vector<FlameBox> compared_boxes(const json& difference) {
  const std::vector<PrunedNode> nodes = flame_tree_nodes(member(difference, "tree"));
  const double run_scale = scale_in(difference, "run");
  const double base_scale = scale_in(difference, "base");
  double whole = 0;
  if (!nodes.empty())
    whole = std::max(nodes[0].total[kRun] * run_scale, nodes[0].total[kBase] * base_scale);
  std::vector<FlameBox> out;
  for (const PrunedNode& node : nodes) {
    const double run = node.total[kRun] * run_scale;
    const double base = node.total[kBase] * base_scale;
    const double change = whole > 0 ? (run - base) / whole : 0;
    out.push_back({node.parent, node.name,
                   change_text(change) + " of the whole: " + scaled_text(difference, base) +
                       " before, " + scaled_text(difference, run) + " now",
                   run + base, change_tone(change)});
  }
  return out;
}

std::string changes_table(const json& difference, const char* key, const std::string& caption) {
  HtmlTable table(std::string("table-") + key, caption,
                  {{"Function", ColumnKind::kLong},
                   {"change, of the whole", ColumnKind::kNumber},
                   {"in the base", ColumnKind::kNumber},
                   {"in the run", ColumnKind::kNumber}});
  for (const json& row : list(difference, key)) {
    if (table.rows() >= 20) break;
    const auto weight = [&](const char* side) {
      return escape(scaled_text(difference, number(row, side).value_or(0)));
    };
    table.add_row({code(text(row, "name"), 120),
                   "<b>" + change_text(number(row, "change").value_or(0)) + "</b>", weight("base"),
                   weight("run")});
  }
  return table.rows() == 0 ? "<p>" + escape(caption) + ": none.</p>\n" : table.html();
}

std::string legend_html() {
  std::string out = "<ul class=\"legend\">";
  const auto entry = [&](const std::string& tone, const char* words) {
    out += "<li><svg class=\"key " + tone +
           "\" width=\"18\" height=\"10\" aria-hidden=\"true\"><rect width=\"18\" "
           "height=\"10\"/></svg>" +
           words + "</li>";
  };
  entry("more4", "more than in the base");
  entry("less4", "less than in the base");
  entry("d0", "as before");
  return out + "</ul>";
}

std::string section_html(const std::string& id, const std::string& heading,
                         const std::string& body) {
  return "<section id=\"" + id + "\" aria-labelledby=\"" + id + "-h\"><h2 id=\"" + id + "-h\">" +
         heading + "</h2>\n" + body + "</section>\n";
}

}  // namespace

std::string difference_to_html(const json& difference) {
  const std::string name = cut(text(difference, "profile"), 60);
  const std::string sentence = cut(difference_sentence(difference), 400);
  const std::vector<FlameBox> boxes = compared_boxes(difference);
  HtmlDocument page;
  page.title = name + ", compared";
  page.version = text(difference, "plumb_version");
  page.header = "<header><h1>" + escape(name) + ", compared</h1><p>run " +
                code(text(member(difference, "run"), "id"), 80) + " against its base " +
                code(text(member(difference, "base"), "id"), 80) + "</p></header>\n";
  std::string graph = "<p>" + escape(sentence) + "</p>\n";
  if (boxes.size() < 2 || !(boxes[0].weight > 0)) {
    graph += "<p class=\"soft\">No stack was seen in either run.</p>\n";
  } else {
    const FlameGraph flames =
        flame_svg(boxes,
                  "Differential flame graph: " + sentence +
                      " The tables below have the functions that changed most.",
                  kLargestGraph);
    graph += "<figure class=\"flame\" id=\"flame-1\"><figcaption>Differential flame graph of " +
             escape(name) + "</figcaption>" + legend_html() + flames.svg +
             "</figure>\n<p class=\"soft\">A box is as wide as its function weighs in both runs "
             "together, with what it calls below it; its colour says by how much of the whole it "
             "changed.";
    if (flames.left_out != 0)
      graph += " The " + grouped(static_cast<double>(flames.left_out)) +
               " lightest boxes are not drawn.";
    graph += "</p>\n";
  }
  page.main = section_html("flames", "Flame graph", graph) +
              section_html("changes", "Functions",
                           changes_table(difference, "gained", "Functions that gained most") +
                               changes_table(difference, "lost", "Functions that lost most"));
  page.contents = {{"flames", "Flame graph"}, {"changes", "Functions"}};
  return page.html();
}

}  // namespace plumb::report
