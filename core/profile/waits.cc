#include "core/profile/waits.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/profile/functions.h"
#include "core/profile/own_functions.h"

namespace plumb::profile {
namespace {

bool is_idle(std::string_view function) {
  static constexpr std::array<std::string_view, 10> kIdle = {
      "accept",      "accept4", "epoll_wait",  "epoll_pwait",  "epoll_pwait2",
      "uv__io_poll", "sigwait", "sigwaitinfo", "sigtimedwait", "pause"};
  return std::find(kIdle.begin(), kIdle.end(), function) != kIdle.end();
}

// The next frame outwards that has a name of its own. The outermost is the process.
std::string caller_of(const CallTree& tree, uint32_t node) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  for (uint32_t at = nodes[node].parent;
       at != CallTree::kRoot && nodes[at].parent != CallTree::kRoot; at = nodes[at].parent) {
    const std::string& name = tree.name_of(nodes[at]);
    if (!name.starts_with("[") && !name.starts_with("__")) return name;
  }
  return {};
}

}  // namespace

std::vector<Wait> waits_of(const CallTree& tree) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  const std::vector<uint32_t> owners = owners_of(tree);
  std::map<std::pair<std::string, std::string>, double> weights;
  for (uint32_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].self[kRun] <= 0) continue;
    const uint32_t function = waiting_function(tree, i);
    const std::string caller = owners[function] != CallTree::kRoot && owners[function] != function
                                   ? tree.name_of(nodes[owners[function]])
                                   : caller_of(tree, function);
    weights[{tree.name_of(nodes[function]), caller}] += nodes[i].self[kRun];
  }
  std::vector<Wait> out;
  for (const auto& [names, weight] : weights)
    out.push_back({names.first, names.second, weight, is_idle(names.first)});
  std::stable_sort(out.begin(), out.end(), [](const Wait& a, const Wait& b) {
    return std::tuple(a.idle, -a.weight) < std::tuple(b.idle, -b.weight);
  });
  return out;
}

}  // namespace plumb::profile
