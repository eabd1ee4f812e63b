#include "core/report/flame_tree.h"

#include <cmath>
#include <map>

#include "core/report/json_read.h"
#include "core/report/plain_text.h"
#include "core/report/sections.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using profile::kBase;
using profile::kRun;

constexpr size_t kLongestFrame = 300;
constexpr size_t kMostNodesRead = 5'000;

// A list's number as an index below `size`, or `size`.
size_t index_below(const json& value, size_t size) {
  const auto figure = number(value);
  if (!figure || *figure < 0 || *figure >= static_cast<double>(size)) return size;
  return static_cast<size_t>(*figure);
}

double weight_at(const json& weights, size_t i) {
  const auto weight = i < weights.size() ? number(weights[i]) : std::nullopt;
  return weight && *weight > 0 ? *weight : 0;
}

}  // namespace

json flame_tree_json(const profile::PrunedTree& tree, bool compared) {
  json names = json::array();
  std::map<std::string, size_t> indices;
  json parents = json::array();
  json frames = json::array();
  json weights = json::array();
  json base_weights = json::array();
  for (const profile::PrunedNode& node : tree.nodes) {
    const auto [at, added] =
        indices.emplace(cut(one_line(node.name), kLongestFrame), indices.size());
    if (added) names.push_back(at->first);
    parents.push_back(node.parent);
    frames.push_back(at->second);
    weights.push_back(six_digits(node.total[kRun]));
    base_weights.push_back(six_digits(node.total[kBase]));
  }
  json out = {{"least_share", six_digits(tree.least_share)},
              {"names", std::move(names)},
              {"parents", std::move(parents)},
              {"frames", std::move(frames)},
              {"weights", std::move(weights)}};
  if (compared) out["base_weights"] = std::move(base_weights);
  return out;
}

std::vector<profile::PrunedNode> flame_tree_nodes(const json& tree) {
  const json& names = list(tree, "names");
  const json& parents = list(tree, "parents");
  const json& frames = list(tree, "frames");
  const json& weights = list(tree, "weights");
  const json& base_weights = list(tree, "base_weights");
  std::vector<profile::PrunedNode> out;
  for (size_t i = 0; i < parents.size() && i < frames.size() && i < kMostNodesRead; ++i) {
    const size_t parent = i == 0 ? 0 : index_below(parents[i], i);
    const size_t name = index_below(frames[i], names.size());
    if ((i != 0 && parent == i) || name == names.size() || !names[name].is_string()) return {};
    out.push_back({parent,
                   one_line(names[name].get_ref<const std::string&>()),
                   {weight_at(weights, i), weight_at(base_weights, i)}});
  }
  return out;
}

}  // namespace plumb::report
