#include "plugins/pg_stats/blocking.h"

#include <algorithm>
#include <unordered_map>

#include "plugins/pg_stats/statement_text.h"

namespace plumb::pg_stats {
namespace {

// A table holds no more rows, and memory stays flat however many statements there are.
constexpr size_t kMostLines = 1000;

using ByPid = std::unordered_map<int, const LockSession*>;

// All pids without a blocker of their own that are reachable from `start`; the lowest pid seen
// when there is none.
std::set<int> roots_above(const LockSession& start, const ByPid& by_pid) {
  std::set<int> seen = {start.pid};
  std::set<int> roots;
  std::vector<const LockSession*> open = {&start};
  while (!open.empty()) {
    const LockSession* at = open.back();
    open.pop_back();
    for (const int pid : at->blocked_by) {
      if (!seen.insert(pid).second) continue;
      const auto found = by_pid.find(pid);
      if (found == by_pid.end() || found->second->blocked_by.empty()) {
        roots.insert(pid);
      } else {
        open.push_back(found->second);
      }
    }
  }
  if (roots.empty()) roots.insert(*seen.begin());
  return roots;
}

}  // namespace

std::vector<Root> roots_of(const std::vector<LockSession>& sessions) {
  ByPid by_pid;
  for (const LockSession& s : sessions) by_pid.emplace(s.pid, &s);
  std::map<int, double> victims;
  for (const LockSession& s : sessions) {
    if (s.blocked_by.empty()) continue;
    const std::set<int> above = roots_above(s, by_pid);
    for (const int pid : above) victims[pid] += 1.0 / static_cast<double>(above.size());
  }
  std::vector<Root> roots;
  for (const auto& [pid, count] : victims) {
    Root root{{}, count};
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

void BlockingLedger::observe(const std::vector<Root>& roots) {
  now_.clear();
  for (const Root& root : roots) {
    const LockSession& s = root.session;
    std::string text = cut_text(redact_statement(s.query), kTableCharacters);
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
    now_.push_back({std::move(key), s.pid, root.victims});
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
    const auto longest = std::ranges::max_element(
        entry.seconds_by_pid, {}, [](const auto& pid_seconds) { return pid_seconds.second; });
    line.pid = longest == entry.seconds_by_pid.end() ? *line.pids.begin() : longest->first;
    lines.push_back(std::move(line));
  }
  std::ranges::sort(lines, std::greater<>{}, &Line::seconds);
  return lines;
}

}  // namespace plumb::pg_stats
