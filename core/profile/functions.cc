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

KernelTime kernel_time_of(std::string_view profile) {
  return profile == "off_cpu" ? KernelTime::kIsItsCallers : KernelTime::kIsItsOwn;
}

uint32_t waiting_function(const CallTree& tree, uint32_t node) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  const auto name = [&](uint32_t at) -> const std::string& { return tree.name_of(nodes[at]); };
  uint32_t at = node;
  while (at != CallTree::kRoot && name(at).ends_with("_[k]")) at = nodes[at].parent;
  if (at == CallTree::kRoot) return node;
  while (name(at).starts_with("__")) {
    const uint32_t caller = nodes[at].parent;
    // The outermost frame is the process's name, and one in brackets is code without any.
    if (caller == CallTree::kRoot || nodes[caller].parent == CallTree::kRoot ||
        name(caller).starts_with("["))
      break;
    at = caller;
  }
  return at;
}

std::vector<FunctionWeight> functions_of(const CallTree& tree, KernelTime kernel_time) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  const std::vector<Weights> totals = tree.totals();
  std::map<std::string, FunctionWeight> by_name;
  for (uint32_t i = 1; i < nodes.size(); ++i) {
    const uint32_t owner = kernel_time == KernelTime::kIsItsCallers ? waiting_function(tree, i) : i;
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
