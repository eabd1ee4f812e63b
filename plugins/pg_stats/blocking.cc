#include "plugins/pg_stats/blocking.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "plugins/pg_stats/statement_text.h"
#include "plugins/pg_stats/wait_graph.h"

namespace plumb::pg_stats {
namespace {

// A table holds no more rows, and memory stays flat however many statements there are.
constexpr size_t kMostLines = 1000;

std::string wanted_by(const LockSession& session) {
  if (session.lock.empty() || session.table.empty()) return session.lock;
  return session.lock + " on " + session.table;
}

template <typename Key>
Key most_of(const std::map<Key, double>& amounts) {
  const auto most =
      std::ranges::max_element(amounts, {}, [](const auto& entry) { return entry.second; });
  return most == amounts.end() ? Key() : most->first;
}

}  // namespace

std::vector<Root> roots_of(const std::vector<LockSession>& sessions) {
  WaitGraph graph;
  std::unordered_map<int, const LockSession*> by_pid;
  for (const LockSession& s : sessions)
    if (by_pid.emplace(s.pid, &s).second) graph.add(s.pid, s.blocked_by);
  graph.resolve();

  struct Behind {
    double victims = 0;
    int depth = 0;
    std::map<std::string, double> wanted;
  };
  // Queues wait behind the same roots: added up once for them all.
  std::vector<Behind> by_roots(graph.root_sets());
  for (const auto& [pid, session] : by_pid) {
    if (session->blocked_by.empty()) continue;
    const WaitGraph::Place place = graph.place_of(pid);
    Behind& b = by_roots[place.roots];
    b.victims += 1;
    b.depth = std::max(b.depth, place.steps);
    if (const std::string wanted = wanted_by(*session); !wanted.empty()) b.wanted[wanted] += 1;
  }
  std::map<int, Behind> behind;
  for (size_t i = 0; i < by_roots.size(); ++i) {
    const Behind& all = by_roots[i];
    if (all.victims == 0) continue;
    const std::vector<int>& pids = graph.roots(i);
    const double part = 1.0 / static_cast<double>(pids.size());
    for (const int pid : pids) {
      Behind& b = behind[pid];
      b.victims += all.victims * part;
      b.depth = std::max(b.depth, all.depth);
      for (const auto& [wanted, times] : all.wanted) b.wanted[wanted] += times * part;
    }
  }

  std::vector<Root> roots;
  for (const auto& [pid, b] : behind) {
    Root root{{}, b.victims, b.depth, most_of(b.wanted)};
    if (const auto found = by_pid.find(pid); found != by_pid.end()) {
      root.session = *found->second;
    } else {
      root.session.pid = pid;
      root.session.state = pid == 0 ? "prepared transaction" : "gone or hidden";
    }
    roots.push_back(std::move(root));
  }
  return roots;
}

void BlockingLedger::observe(const std::vector<Root>& roots, bool plain_strings_escape) {
  now_.clear();
  for (const Root& root : roots) {
    const LockSession& s = root.session;
    std::string text = cut_text(redact_statement(s.query, plain_strings_escape), kTableCharacters);
    Key key{s.application, s.state, s.query_id, text};
    if (entries_.size() >= kMostLines && !entries_.contains(key)) continue;
    Entry& entry = entries_[key];
    if (entry.line.pids.empty()) {
      entry.line.application = s.application;
      entry.line.state = s.state;
      entry.line.query_id = s.query_id;
      entry.line.query = std::move(text);
    }
    entry.line.pids.insert(s.pid);
    entry.line.depth = std::max(entry.line.depth, root.depth);
    entry.client_by_pid[s.pid] = s.client;
    now_.push_back({std::move(key), s.pid, root.victims, root.wanted});
  }
  std::map<Key, double> at_once;
  for (const Share& share : now_) at_once[share.key] += share.victims;
  for (const auto& [key, victims] : at_once) {
    Line& line = entries_[key].line;
    line.victims = std::max(line.victims, victims);
  }
}

void BlockingLedger::add(double waiters, double seconds) {
  double all = 0;
  for (const Share& share : now_) all += share.victims;
  if (all <= 0) return;
  for (const Share& share : now_) {
    const double part = waiters * seconds * share.victims / all;
    Entry& entry = entries_[share.key];
    entry.line.seconds += part;
    entry.seconds_by_pid[share.pid] += part;
    if (!share.wanted.empty()) entry.seconds_by_lock[share.wanted] += part;
  }
}

void BlockingLedger::clear() {
  entries_.clear();
  now_.clear();
}

std::vector<BlockingLedger::Line> BlockingLedger::lines() const {
  std::vector<Line> lines;
  for (const auto& [key, entry] : entries_) {
    Line line = entry.line;
    line.pid = entry.seconds_by_pid.empty() ? *line.pids.begin() : most_of(entry.seconds_by_pid);
    if (const auto client = entry.client_by_pid.find(line.pid); client != entry.client_by_pid.end())
      line.client = client->second;
    line.wanted = most_of(entry.seconds_by_lock);
    lines.push_back(std::move(line));
  }
  std::ranges::sort(lines, std::greater<>{}, &Line::seconds);
  return lines;
}

}  // namespace plumb::pg_stats
