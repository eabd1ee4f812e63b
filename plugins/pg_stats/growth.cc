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
    if (then != before.end() && then->second.calls() <= now.calls()) {
      for (size_t i = 0; i < kStatementFields; ++i)
        if (std::optional<double>& field = grown.fields[i])
          field = std::max(0.0, *field - then->second.fields[i].value_or(0));
    }
    if (grown.calls() > 0) out.push_back(grown);
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

void add_growth(std::vector<StatementCounters>& growth,
                const std::vector<StatementCounters>& more) {
  for (const StatementCounters& m : more) {
    const auto at = std::ranges::find(growth, m.query_id, &StatementCounters::query_id);
    if (at == growth.end()) {
      growth.push_back(m);
      continue;
    }
    for (size_t i = 0; i < kStatementFields; ++i)
      if (m.fields[i]) at->fields[i] = at->fields[i].value_or(0) + *m.fields[i];
  }
}

void add_growth(std::vector<TableCounters>& growth, const std::vector<TableCounters>& more) {
  for (const TableCounters& m : more) {
    const auto at = std::ranges::find(growth, m.oid, &TableCounters::oid);
    if (at == growth.end()) {
      growth.push_back(m);
      continue;
    }
    at->seq_scans += m.seq_scans;
    at->seq_tuples += m.seq_tuples;
    at->index_scans += m.index_scans;
  }
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
  choose(by_calls, [](const StatementCounters& s) { return std::tuple(s.calls(), s.query_id); });
  choose(by_time, [](const StatementCounters& s) { return std::tuple(s.ms(), s.query_id); });
  std::erase_if(growth, [&](const StatementCounters& s) { return !chosen.contains(s.query_id); });
  return growth;
}

std::vector<TableCounters> most_dead(const TableReading& now, size_t most) {
  std::vector<TableCounters> out;
  for (const auto& [oid, table] : now)
    if (table.dead > 0) out.push_back(table);
  std::ranges::sort(out, std::greater<>{},
                    [](const TableCounters& t) { return std::tuple(t.dead, t.oid); });
  if (out.size() > most) out.resize(most);
  return out;
}

std::vector<TableCounters> top_tables(std::vector<TableCounters> growth, size_t most) {
  std::ranges::sort(growth, std::greater<>{}, [](const TableCounters& t) {
    return std::tuple(t.seq_tuples, t.index_scans, t.seq_scans, t.oid);
  });
  if (growth.size() > most) growth.resize(most);
  return growth;
}

}  // namespace plumb::pg_stats
