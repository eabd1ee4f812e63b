// Who waits behind whom: from each session of a graph of waiters to those at the end of its chains.
#ifndef PLUMB_PLUGINS_PG_STATS_WAIT_GRAPH_H_
#define PLUMB_PLUGINS_PG_STATS_WAIT_GRAPH_H_

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace plumb::pg_stats {

// Circles are one knot each (Tarjan's strongly connected components), so every session, every pair
// of a waiter and a blocker, and every two sets of roots that meet are looked at once. Not
// thread-safe.
class WaitGraph {
 public:
  // Each pid once. A blocker that is never added waits for nobody.
  void add(int pid, std::span<const int> blocked_by);
  // After the last add().
  void resolve();

  struct Place {
    size_t roots = 0;  // which set of them
    int steps = 0;     // to the nearest one
  };
  // Of a pid that was added or named as a blocker.
  Place place_of(int pid) const { return places_[index_.at(pid)]; }
  // How many different sets of roots there are, and the pids of one, ascending. A root is its own.
  size_t root_sets() const { return sets_.size(); }
  const std::vector<int>& roots(size_t set) const { return *sets_[set]; }
  // Pairs and sets looked at by resolve().
  uint64_t looked_at() const { return looked_at_; }

 private:
  using Node = uint32_t;
  Node node_of(int pid);
  void find_knots();
  // Of a knot whose blockers' knots are resolved.
  void resolve_knot(std::span<const Node> knot);
  void count_steps();
  size_t set_of(std::vector<int> roots);
  size_t union_of(size_t a, size_t b);

  std::unordered_map<int, Node> index_;
  std::vector<int> pids_;
  std::vector<std::vector<Node>> blockers_;
  std::vector<Node> knots_;  // by node
  std::vector<Place> places_;
  std::vector<Node> roots_;
  std::map<std::vector<int>, size_t> known_sets_;
  std::vector<const std::vector<int>*> sets_;  // keys of the map
  std::map<std::pair<size_t, size_t>, size_t> unions_;
  uint64_t looked_at_ = 0;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_WAIT_GRAPH_H_
