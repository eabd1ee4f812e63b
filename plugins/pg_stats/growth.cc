#include "plugins/pg_stats/growth.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace plumb::pg_stats {

std::vector<StatementCounters> statement_growth(const StatementReading& before,
                                                const StatementReading& after) {
  std::vector<StatementCounters> out;
  for (const auto& [id, now] : after) {
    StatementCounters grown = now;
    const auto then = before.find(id);
    if (then != before.end() && then->second.calls <= now.calls) {
      const StatementCounters& b = then->second;
      grown.calls -= b.calls;
      grown.ms = std::max(0.0, now.ms - b.ms);
      grown.rows = std::max(0.0, now.rows - b.rows);
      grown.blocks_hit = std::max(0.0, now.blocks_hit - b.blocks_hit);
      grown.blocks_read = std::max(0.0, now.blocks_read - b.blocks_read);
      grown.temp_blocks = std::max(0.0, now.temp_blocks - b.temp_blocks);
      if (now.wal_bytes) grown.wal_bytes = std::max(0.0, *now.wal_bytes - b.wal_bytes.value_or(0));
    }
    if (grown.calls > 0) out.push_back(grown);
  }
  return out;
}

std::vector<TableCounters> table_growth(const TableReading& before, const TableReading& after) {
  std::vector<TableCounters> out;
  for (const auto& [oid, now] : after) {
    TableCounters grown = now;
    const auto then = before.find(oid);
    if (then != before.end() && then->second.seq_scans <= now.seq_scans &&
        then->second.index_scans <= now.index_scans) {
      const TableCounters& b = then->second;
      grown.seq_scans -= b.seq_scans;
      grown.seq_tuples = std::max(0.0, now.seq_tuples - b.seq_tuples);
      grown.index_scans -= b.index_scans;
    }
    if (grown.seq_scans > 0 || grown.index_scans > 0) out.push_back(std::move(grown));
  }
  return out;
}

std::vector<StatementCounters> top_statements(std::vector<StatementCounters> growth, size_t by_time,
                                              size_t by_calls,
                                              const std::function<bool(int64_t)>& skip) {
  std::erase_if(growth, [&](const StatementCounters& s) { return skip(s.query_id); });
  std::unordered_set<int64_t> chosen;
  const auto choose = [&](size_t most, auto key) {
    std::ranges::sort(growth, std::greater<>{}, key);
    for (size_t i = 0; i < growth.size() && i < most; ++i) chosen.insert(growth[i].query_id);
  };
  choose(by_calls, [](const StatementCounters& s) { return std::tuple(s.calls, s.query_id); });
  choose(by_time, [](const StatementCounters& s) { return std::tuple(s.ms, s.query_id); });
  std::erase_if(growth, [&](const StatementCounters& s) { return !chosen.contains(s.query_id); });
  return growth;
}

std::vector<TableCounters> top_tables(std::vector<TableCounters> growth, size_t most) {
  std::ranges::sort(growth, std::greater<>{}, [](const TableCounters& t) {
    return std::tuple(t.seq_tuples, t.index_scans, t.seq_scans, t.oid);
  });
  if (growth.size() > most) growth.resize(most);
  return growth;
}

}  // namespace plumb::pg_stats
