#include "core/profile/call_tree.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace plumb::profile {
namespace {

uint64_t edge(uint32_t parent, uint32_t name) { return uint64_t{parent} << 32 | name; }

}  // namespace

CallTree::CallTree(size_t most_nodes, size_t most_name_bytes)
    : most_nodes_(most_nodes), most_name_bytes_(most_name_bytes) {
  name_id("");
  name_id(kOther);
  nodes_.emplace_back();
}

uint32_t CallTree::name_id(std::string_view name) {
  if (const auto found = name_ids_.find(name); found != name_ids_.end()) return found->second;
  if (name_bytes_ + name.size() > most_name_bytes_) return name_ids_.find(kOther)->second;
  name_bytes_ += name.size();
  const auto added =
      name_ids_.emplace(std::string(name), static_cast<uint32_t>(names_.size())).first;
  names_.push_back(&added->first);
  return added->second;
}

uint32_t CallTree::child_of(uint32_t parent, std::string_view name) {
  uint32_t id = name_id(name);
  if (const auto found = children_.find(edge(parent, id)); found != children_.end())
    return found->second;
  if (nodes_.size() >= most_nodes_) {
    // One such node for each that is there already: the bound is doubled at most.
    id = name_id(kOther);
    if (const auto found = children_.find(edge(parent, id)); found != children_.end())
      return found->second;
  }
  const auto node = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({parent, id, {}});
  children_.emplace(edge(parent, id), node);
  return node;
}

uint32_t CallTree::leaf_of(std::string_view frames) {
  uint32_t at = kRoot;
  while (!frames.empty()) {
    const std::string_view name = frames.substr(0, frames.find(';'));
    frames.remove_prefix(std::min(frames.size(), name.size() + 1));
    if (name.empty()) continue;
    at = child_of(at, name);
    // What is cut off has no frames of its own.
    if (nodes_.size() > most_nodes_ && name_of(nodes_[at]) == kOther) break;
  }
  return at;
}

void CallTree::add(std::string_view frames, double weight, Side side) {
  if (!std::isfinite(weight) || weight <= 0) return;
  const auto seen = leaves_.find(frames);
  const uint32_t leaf = seen != leaves_.end() ? seen->second : leaf_of(frames);
  if (leaf == kRoot) return;
  nodes_[leaf].self[side] += weight;
  if (seen != leaves_.end() || stack_bytes_ + frames.size() > most_name_bytes_) return;
  stack_bytes_ += frames.size();
  leaves_.emplace(frames, leaf);
}

void CallTree::merge(const CallTree& other, Side side) {
  std::vector<uint32_t> here(other.nodes_.size(), kRoot);
  for (uint32_t i = 1; i < other.nodes_.size(); ++i) {
    const Node& node = other.nodes_[i];
    const uint32_t parent = here[node.parent];
    const bool cut_off =
        nodes_.size() > most_nodes_ && parent != kRoot && name_of(nodes_[parent]) == kOther;
    here[i] = cut_off ? parent : child_of(parent, other.name_of(node));
    nodes_[here[i]].self[side] += node.self[kRun];
  }
}

std::vector<Weights> CallTree::totals() const {
  std::vector<Weights> out(nodes_.size());
  for (size_t i = nodes_.size(); i-- > 0;) {
    for (const Side side : {kRun, kBase}) {
      out[i][side] += nodes_[i].self[side];
      if (i != kRoot) out[nodes_[i].parent][side] += out[i][side];
    }
  }
  return out;
}

void CallTree::walk(const std::function<void(uint32_t node, size_t depth)>& visit) const {
  std::vector<std::vector<uint32_t>> children(nodes_.size());
  for (uint32_t i = 1; i < nodes_.size(); ++i) children[nodes_[i].parent].push_back(i);
  std::vector<std::pair<uint32_t, size_t>> open = {{kRoot, 0}};
  while (!open.empty()) {
    const auto [node, depth] = open.back();
    open.pop_back();
    visit(node, depth);
    std::vector<uint32_t>& below = children[node];
    // The last one pushed is the next one visited.
    std::sort(below.begin(), below.end(),
              [&](uint32_t a, uint32_t b) { return name_of(nodes_[a]) > name_of(nodes_[b]); });
    for (const uint32_t child : below) open.emplace_back(child, depth + 1);
  }
}

}  // namespace plumb::profile
