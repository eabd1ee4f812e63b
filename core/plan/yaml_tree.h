// YAML text as a tree that remembers where every value stood. Made for text that is not trusted:
// size, depth, number of values and number of characters made by aliases are bounded, keys are
// plain strings, and duplicate keys are kept so that they can be reported.
#ifndef PLUMB_CORE_PLAN_YAML_TREE_H_
#define PLUMB_CORE_PLAN_YAML_TREE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace plumb::plan {

inline constexpr size_t kLargestPlanBytes = size_t{1} << 20;
inline constexpr int kDeepestNesting = 32;
inline constexpr size_t kMostValues = 20'000;

// Counted from 1; zero where there is no place.
struct Mark {
  int line = 0;
  int column = 0;
};

// Where a value came from; the higher layer wins. A profile ranks just below the place that named
// it.
enum class Layer {
  kDefault,
  kProfileInPlan,
  kPlan,
  kProfileInEnvironment,
  kEnvironment,
  kProfileInFlag,
  kFlag
};

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text = {};  // of a scalar
  bool quoted = false;    // a quoted scalar is never a number
  Mark mark = {};
  Layer layer = Layer::kPlan;
  // "--set", "PLUMB_LOAD_RATE", "profile heavy", "default"; empty: the plan.
  std::string source = {};
  bool substituted = false;        // holds a value of the environment, which no message may print
  std::vector<Node> items = {};    // of a list
  std::vector<Node> entries = {};  // of a map, in the order written, duplicates included
  std::string key = {};            // of an entry of a map
  Mark key_mark = {};

  // The value of a key in a map; null when there is none. Of duplicates the first.
  const Node* find(std::string_view wanted) const;
  Node* find(std::string_view wanted);
};

struct YamlFault {
  Mark mark;
  std::string message;
  std::string hint;
};

// An empty document is a null node.
std::variant<Node, YamlFault> parse_yaml(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_YAML_TREE_H_
