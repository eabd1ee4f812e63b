#include "core/diagnose/declared.h"

#include <algorithm>

namespace plumb::diagnose {
namespace {

using facts::Fact;

bool holds_all_of(const Labels& labels, const Labels& others) {
  return std::includes(labels.begin(), labels.end(), others.begin(), others.end());
}

// Of a total and what it is made of, only the total stays.
void drop_what_others_hold(std::vector<DeclaredPart>& parts) {
  const std::vector<DeclaredPart> all = parts;
  std::erase_if(parts, [&all](const DeclaredPart& part) {
    return std::any_of(all.begin(), all.end(), [&part](const DeclaredPart& other) {
      return other.fact != part.fact && holds_all_of(part.fact->labels, other.fact->labels);
    });
  });
}

}  // namespace

std::vector<DeclaredLine> declared_lines(const store::RunData& run, const facts::FactSet& facts) {
  struct Found {
    DeclaredLine line;
    std::string series;
  };
  std::vector<Found> found;
  for (const store::SeriesData& series : run.series) {
    const SeriesInfo& info = series.info;
    if (info.ledger_line.empty()) continue;
    const bool counter = info.kind == PLUMB_KIND_COUNTER;
    // One fact stands for all series of its name and labels, whichever plugins they are of.
    const Fact* fact = facts.find(info.name + (counter ? ".per_request" : ".mean"), info.labels);
    if (fact == nullptr) continue;
    auto at = std::find_if(found.begin(), found.end(), [&info](const Found& known) {
      return known.line.key == info.ledger_line && known.series == info.name;
    });
    if (at == found.end()) {
      found.push_back({{info.ledger_line,
                        std::string(layer_name(info.layer)),
                        info.help.empty() ? info.name : info.help,
                        {}},
                       info.name});
      at = found.end() - 1;
    }
    std::vector<DeclaredPart>& parts = at->line.parts;
    const bool known = std::any_of(parts.begin(), parts.end(),
                                   [fact](const DeclaredPart& part) { return part.fact == fact; });
    if (!known) parts.push_back({fact, counter});
  }
  std::vector<DeclaredLine> lines;
  for (Found& one : found) {
    drop_what_others_hold(one.line.parts);
    lines.push_back(std::move(one.line));
  }
  return lines;
}

std::string label_values(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) out += (out.empty() ? "" : " ") + value;
  return out;
}

}  // namespace plumb::diagnose
