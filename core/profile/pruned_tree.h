// A call tree made small enough to be shown: what weighs next to nothing is folded into one node
// "(other)" beside its siblings.
#ifndef PLUMB_CORE_PROFILE_PRUNED_TREE_H_
#define PLUMB_CORE_PROFILE_PRUNED_TREE_H_

#include <string>
#include <vector>

#include "core/profile/call_tree.h"

namespace plumb::profile {

struct PruneLimits {
  double least_share = 0.001;  // of the whole
  size_t most_nodes = 2'000;   // the heaviest; those folded into come on top
};

struct PrunedNode {
  size_t parent = 0;
  std::string name;
  Weights total = {};
};

struct PrunedTree {
  // The root, named "all", then depth first, siblings in the order of their names.
  std::vector<PrunedNode> nodes;
  double least_share = 0;  // what weighs less was folded
};

// `scale` makes the two sides comparable: a node is as heavy as its heavier side, of the heavier
// whole. The weights in the result are not scaled.
PrunedTree prune(const CallTree& tree, const PruneLimits& limits, const Weights& scale = {1, 1});

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_PRUNED_TREE_H_
