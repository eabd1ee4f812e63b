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

// The node, or the first on its way out that is no function of the kernel. A thread of the kernel
// has none.
uint32_t outside_the_kernel(const CallTree& tree, uint32_t node) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  for (uint32_t at = node; at != CallTree::kRoot; at = nodes[at].parent)
    if (!tree.name_of(nodes[at]).ends_with("_[k]")) return at;
  return node;
}

}  // namespace

KernelTime kernel_time_of(std::string_view profile) {
  return profile == "off_cpu" ? KernelTime::kIsItsCallers : KernelTime::kIsItsOwn;
}

std::vector<FunctionWeight> functions_of(const CallTree& tree, KernelTime kernel_time) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  const std::vector<Weights> totals = tree.totals();
  std::map<std::string, FunctionWeight> by_name;
  for (uint32_t i = 1; i < nodes.size(); ++i) {
    const uint32_t owner =
        kernel_time == KernelTime::kIsItsCallers ? outside_the_kernel(tree, i) : i;
    FunctionWeight& own = by_name[tree.name_of(nodes[owner])];
    FunctionWeight& function = by_name[tree.name_of(nodes[i])];
    const bool inner = is_inner_of_its_own(nodes, i);
    for (const Side side : {kRun, kBase}) {
      own.self[side] += nodes[i].self[side];
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
