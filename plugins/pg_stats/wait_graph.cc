#include "plugins/pg_stats/wait_graph.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace plumb::pg_stats {
namespace {

constexpr uint32_t kNoKnot = std::numeric_limits<uint32_t>::max();
constexpr size_t kNoSet = std::numeric_limits<size_t>::max();

}  // namespace

WaitGraph::Node WaitGraph::node_of(int pid) {
  const auto [at, fresh] = index_.try_emplace(pid, static_cast<Node>(pids_.size()));
  if (fresh) {
    pids_.push_back(pid);
    blockers_.emplace_back();
  }
  return at->second;
}

void WaitGraph::add(int pid, std::span<const int> blocked_by) {
  std::vector<Node> blockers;
  blockers.reserve(blocked_by.size());
  for (const int blocker : blocked_by) blockers.push_back(node_of(blocker));
  blockers_[node_of(pid)] = std::move(blockers);
}

void WaitGraph::resolve() {
  knots_.assign(pids_.size(), kNoKnot);
  places_.assign(pids_.size(), {});
  find_knots();
  count_steps();
}

// Tarjan's algorithm, with a stack of its own, since a chain may be as long as there are sessions.
// It finishes a knot after those that the knot waits for.
void WaitGraph::find_knots() {
  struct Visit {
    Node node;
    size_t next_blocker;
  };
  std::vector<Node> order(pids_.size(), 0);  // of discovery, from 1; 0: not yet
  std::vector<Node> lowest(pids_.size(), 0);
  std::vector<Node> open;
  std::vector<Visit> path;
  Node discovered = 0;
  Node knots = 0;
  const auto enter = [&](Node node) {
    order[node] = lowest[node] = ++discovered;
    open.push_back(node);
    path.push_back({node, 0});
  };
  for (Node start = 0; start < pids_.size(); ++start) {
    if (order[start] != 0) continue;
    enter(start);
    while (!path.empty()) {
      const Node node = path.back().node;
      if (path.back().next_blocker < blockers_[node].size()) {
        const Node blocker = blockers_[node][path.back().next_blocker++];
        ++looked_at_;
        if (order[blocker] == 0) {
          enter(blocker);
        } else if (knots_[blocker] == kNoKnot) {
          lowest[node] = std::min(lowest[node], order[blocker]);
        }
        continue;
      }
      path.pop_back();
      if (!path.empty()) {
        Node& above = lowest[path.back().node];
        above = std::min(above, lowest[node]);
      }
      if (lowest[node] != order[node]) continue;
      const auto begin = std::ranges::find(open.rbegin(), open.rend(), node).base() - 1;
      const std::vector<Node> knot(begin, open.end());
      open.erase(begin, open.end());
      for (const Node member : knot) knots_[member] = knots;
      ++knots;
      resolve_knot(knot);
    }
  }
}

void WaitGraph::resolve_knot(std::span<const Node> knot) {
  size_t roots = kNoSet;
  for (const Node member : knot) {
    for (const Node blocker : blockers_[member]) {
      ++looked_at_;
      if (knots_[blocker] == knots_[member]) continue;
      const size_t above = places_[blocker].roots;
      roots = roots == kNoSet ? above : union_of(roots, above);
    }
  }
  if (roots == kNoSet) {
    const Node root =
        *std::ranges::min_element(knot, {}, [this](Node member) { return pids_[member]; });
    roots = set_of({pids_[root]});
    roots_.push_back(root);
  }
  for (const Node member : knot) places_[member].roots = roots;
}

// Breadth first from all roots at once, down the queues.
void WaitGraph::count_steps() {
  std::vector<std::vector<Node>> waiters(pids_.size());
  for (Node node = 0; node < pids_.size(); ++node)
    for (const Node blocker : blockers_[node]) waiters[blocker].push_back(node);
  std::vector<bool> reached(pids_.size(), false);
  std::vector<Node> queue = roots_;
  for (const Node root : roots_) reached[root] = true;
  for (size_t i = 0; i < queue.size(); ++i) {
    for (const Node waiter : waiters[queue[i]]) {
      ++looked_at_;
      if (reached[waiter]) continue;
      reached[waiter] = true;
      places_[waiter].steps = places_[queue[i]].steps + 1;
      queue.push_back(waiter);
    }
  }
}

size_t WaitGraph::set_of(std::vector<int> roots) {
  const auto [at, fresh] = known_sets_.try_emplace(std::move(roots), sets_.size());
  if (fresh) sets_.push_back(&at->first);
  return at->second;
}

size_t WaitGraph::union_of(size_t a, size_t b) {
  if (a == b) return a;
  const auto key = std::minmax(a, b);
  if (const auto known = unions_.find(key); known != unions_.end()) return known->second;
  looked_at_ += sets_[a]->size() + sets_[b]->size();
  std::vector<int> both;
  std::ranges::set_union(*sets_[a], *sets_[b], std::back_inserter(both));
  return unions_[key] = set_of(std::move(both));
}

}  // namespace plumb::pg_stats
