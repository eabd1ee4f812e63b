#include "core/profile/folded_text.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>
#include <vector>

#include "core/base/obeyed_text.h"

namespace plumb::profile {
namespace {

std::string whole_number(double weight, const std::string& unit) {
  const double scale = unit == "seconds" ? 1e6 : 1;
  return std::to_string(std::llround(std::min(weight * scale, 9e18)));
}

// Names come from the profiled program, and people look at this text in a terminal.
void append_name(std::string& line, std::string_view name) {
  while (!name.empty()) {
    const size_t obeyed = obeyed_at_start(name).bytes;
    line += obeyed != 0 ? '?' : name.front();
    name.remove_prefix(std::max<size_t>(obeyed, 1));
  }
}

// `numbers` gives what stands behind a node's frames; nothing for a node without a line.
std::string folded_lines(const CallTree& tree,
                         const std::function<std::string(const CallTree::Node&)>& numbers) {
  std::string out;
  std::string path;
  std::vector<size_t> lengths;  // of the path at each depth
  tree.walk([&](uint32_t index, size_t depth) {
    if (index == CallTree::kRoot) return;
    const CallTree::Node& node = tree.nodes()[index];
    lengths.resize(depth);
    path.resize(depth > 1 ? lengths[depth - 1] : 0);
    if (depth > 1) path += ';';
    append_name(path, tree.name_of(node));
    lengths.push_back(path.size());
    if (const std::string behind = numbers(node); !behind.empty())
      out.append(path).append(behind).append(1, '\n');
  });
  return out;
}

}  // namespace

std::string folded_text(const Profile& profile) {
  return folded_lines(profile.tree, [&](const CallTree::Node& node) {
    const std::string weight = whole_number(node.self[kRun], profile.unit);
    return weight == "0" ? "" : " " + weight;
  });
}

std::string folded_text(const Difference& difference) {
  const double base_scale = difference.scale[kBase] / difference.scale[kRun];
  return folded_lines(difference.tree, [&](const CallTree::Node& node) {
    const std::string base = whole_number(node.self[kBase] * base_scale, difference.unit);
    const std::string run = whole_number(node.self[kRun], difference.unit);
    return base == "0" && run == "0" ? "" : " " + base + " " + run;
  });
}

}  // namespace plumb::profile
