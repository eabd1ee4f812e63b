#include "core/profile/pruned_tree.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

namespace plumb::profile {
namespace {

// The share below which all but the `most` heaviest nodes lie.
double share_of_the_last(const std::vector<double>& shares, size_t most, double least) {
  if (shares.size() <= most) return least;
  std::vector<double> sorted = shares;
  const auto last = sorted.begin() + static_cast<ptrdiff_t>(most);
  std::nth_element(sorted.begin(), last, sorted.end(), std::greater<>());
  // Of nodes that weigh the same, all or none are shown.
  return std::max(least, std::nextafter(*last, 1.0));
}

void add_to(Weights& sum, const Weights& more) {
  for (const Side side : {kRun, kBase}) sum[side] += more[side];
}

}  // namespace

PrunedTree prune(const CallTree& tree, const PruneLimits& limits, const Weights& scale) {
  const std::vector<CallTree::Node>& nodes = tree.nodes();
  const std::vector<Weights> totals = tree.totals();
  const auto size_of = [&](const Weights& w) {
    return std::max(w[kRun] * scale[kRun], w[kBase] * scale[kBase]);
  };
  PrunedTree out;
  out.nodes.push_back({0, "all", totals[CallTree::kRoot]});
  const double whole = size_of(totals[CallTree::kRoot]);
  if (!(whole > 0)) return out;
  std::vector<double> shares;
  shares.reserve(nodes.size());
  for (const Weights& total : totals) shares.push_back(size_of(total) / whole);
  out.least_share = share_of_the_last(shares, limits.most_nodes, limits.least_share);

  // Where each node of the tree went, and the node "(other)" of each shown one.
  std::vector<std::optional<size_t>> shown(nodes.size());
  shown[CallTree::kRoot] = 0;
  std::vector<Weights> folded(nodes.size());
  for (uint32_t i = 1; i < nodes.size(); ++i)
    if (shares[i] < out.least_share) add_to(folded[nodes[i].parent], totals[i]);
  std::vector<std::pair<uint32_t, size_t>> path;  // shown nodes from the root, with their depth
  const auto close = [&](uint32_t node) {
    if (size_of(folded[node]) > 0)
      out.nodes.push_back({*shown[node], std::string(kOther), folded[node]});
  };
  tree.walk([&](uint32_t node, size_t depth) {
    if (shares[node] < out.least_share) return;
    while (!path.empty() && path.back().second >= depth) {
      close(path.back().first);
      path.pop_back();
    }
    if (node != CallTree::kRoot) {
      shown[node] = out.nodes.size();
      out.nodes.push_back({*shown[nodes[node].parent], tree.name_of(nodes[node]), totals[node]});
    }
    path.emplace_back(node, depth);
  });
  for (; !path.empty(); path.pop_back()) close(path.back().first);
  return out;
}

}  // namespace plumb::profile
