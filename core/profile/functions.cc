#include "core/profile/functions.h"

#include <map>

namespace plumb::profile {
namespace {

// Whether a frame of this name lies further out on the path to the node.
bool is_inner_of_its_own(const std::vector<CallTree::Node>& nodes, uint32_t node) {
  for (uint32_t at = nodes[node].parent; at != CallTree::kRoot; at = nodes[at].parent)
    if (nodes[at].name == nodes[node].name) return true;
  return false;
}

}  // namespace

std::vector<FunctionWeight> functions_of(const CallTree& tree) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  const std::vector<Weights> totals = tree.totals();
  std::map<std::string, FunctionWeight> by_name;
  for (uint32_t i = 1; i < nodes.size(); ++i) {
    FunctionWeight& function = by_name[tree.name_of(nodes[i])];
    const bool inner = is_inner_of_its_own(nodes, i);
    for (const Side side : {kRun, kBase}) {
      function.self[side] += nodes[i].self[side];
      if (!inner) function.total[side] += totals[i][side];
    }
  }
  std::vector<FunctionWeight> out;
  out.reserve(by_name.size());
  for (auto& [name, function] : by_name) {
    function.name = name;
    out.push_back(std::move(function));
  }
  return out;
}

}  // namespace plumb::profile
