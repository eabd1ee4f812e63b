// The call tree of a profile in report.json and in a comparison: names once each, and for every
// node its parent, its name and its weight, in lists of one length.
//
//   {"least_share": 0.001, "names": ["all", "main", ...], "parents": [0, 0, 1, ...],
//    "frames": [0, 1, ...], "weights": [12.5, 12.5, ...], "base_weights": [...]}
//
// Node 0 is the root and every other node comes after its parent, so the lists need no nesting:
// stacks may be deeper than readers of JSON allow.
#ifndef PLUMB_CORE_REPORT_FLAME_TREE_H_
#define PLUMB_CORE_REPORT_FLAME_TREE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/profile/pruned_tree.h"

namespace plumb::report {

// With `base_weights` when `compared`. Names are cut to 300 columns.
nlohmann::json flame_tree_json(const profile::PrunedTree& tree, bool compared);

// Reads it without trusting it: what is not a tree gives no nodes, and of a large one the first few
// thousand.
std::vector<profile::PrunedNode> flame_tree_nodes(const nlohmann::json& tree);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_FLAME_TREE_H_
