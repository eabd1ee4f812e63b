// Stacks merged into one tree: what weighs how much, by the path of frames that led to it. A tree
// holds two sides, so that a profile and the one it is compared with lie over each other; of one
// profile alone the second side is zero throughout.
#ifndef PLUMB_CORE_PROFILE_CALL_TREE_H_
#define PLUMB_CORE_PROFILE_CALL_TREE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace plumb::profile {

// Of the profile itself and of the one it is compared with.
enum Side : size_t { kRun = 0, kBase = 1 };
using Weights = std::array<double, 2>;

// Where weight goes that is not told apart.
inline constexpr std::string_view kOther = "(other)";

// Not thread-safe. Takes stacks from files that may be damaged or made to harm: its memory is
// bounded, and what is beyond the bounds counts as kOther where it branches off.
class CallTree {
 public:
  static constexpr uint32_t kRoot = 0;  // has no name; every other node comes after its parent

  struct Node {
    uint32_t parent = kRoot;
    uint32_t name = 0;
    Weights self = {};
  };

  CallTree() : CallTree(1'000'000, size_t{64} << 20) {}
  CallTree(size_t most_nodes, size_t most_name_bytes);
  CallTree(CallTree&&) = default;
  CallTree(const CallTree&) = delete;  // names_ points into name_ids_

  // Frames are joined by ';' from the outermost to the innermost; those without a name are skipped.
  // A weight that is not finite and above zero is not taken.
  void add(std::string_view frames, double weight, Side side = kRun);

  // Adds the first side of another tree as a side of this one.
  void merge(const CallTree& other, Side side);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::string& name_of(const Node& node) const { return *names_[node.name]; }
  // Of each node with all below it.
  std::vector<Weights> totals() const;

  // Calls `visit(node, depth)` for the root (depth 0) and then depth first for every other node,
  // siblings in the order of their names.
  void walk(const std::function<void(uint32_t node, size_t depth)>& visit) const;

 private:
  // Finds texts without making strings of them.
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename Value>
  using ByText = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

  uint32_t name_id(std::string_view name);
  uint32_t child_of(uint32_t parent, std::string_view name);
  // The node of the stack's innermost frame; the root when it has no frames.
  uint32_t leaf_of(std::string_view frames);

  const size_t most_nodes_;
  const size_t most_name_bytes_;
  size_t name_bytes_ = 0;
  size_t stack_bytes_ = 0;
  std::vector<Node> nodes_;
  ByText<uint32_t> name_ids_;
  std::vector<const std::string*> names_;            // by id; they are the keys of name_ids_
  std::unordered_map<uint64_t, uint32_t> children_;  // by parent and name
  // Of stacks seen before: from batch to batch most of them are the same.
  ByText<uint32_t> leaves_;
};

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_CALL_TREE_H_
