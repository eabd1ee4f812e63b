#include "plugins/pg_stats/growth_probe.h"

#include <algorithm>

#include "plugins/pg_stats/statement_text.h"
#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

constexpr size_t kTopByCalls = 10;
constexpr size_t kTopTables = 20;
// More are looked at than shown, since the sampler's own are known by their text only.
constexpr size_t kOwnStatements = 16;
constexpr int64_t kRefreshEveryNs = 10'000'000'000;
constexpr int64_t kCostToPause = 1000;

void keep_first(Status& status, const Status& other) {
  if (status.is_ok()) status = other;
}

}  // namespace

void GrowthProbe::begin(int64_t start_ns) {
  open_ = true;
  have_statements_ = have_tables_ = false;
  start_ns_ = start_ns;
  next_ns_ = 0;
  statements_before_.clear();
  tables_before_.clear();
  statements_.clear();
  tables_.clear();
}

Status GrowthProbe::refresh(Session& session, const ServerFacts& facts,
                            const ActivityProbe& activity) {
  const int64_t begun = host_.now_ns();
  Status status;
  if (facts.has_statements()) {
    StatementReading now;
    if (const Status s = read_statements(session, facts, now); !s.is_ok()) {
      keep_first(status, s);
    } else if (!have_statements_) {
      statements_before_ = std::move(now);
      have_statements_ = true;
    } else {
      keep_first(status, choose_statements(session, facts, now));
      keep_first(status, emit_statements_table(activity));
    }
  }
  if (session.alive()) {
    TableReading now;
    if (const Status s = read_tables(session, now); !s.is_ok()) {
      keep_first(status, s);
    } else if (!have_tables_) {
      tables_before_ = std::move(now);
      have_tables_ = true;
    } else {
      keep_first(status, choose_tables(session, now));
      keep_first(status, emit_tables_table());
    }
  }
  const int64_t ended = host_.now_ns();
  next_ns_ = ended + std::max(kRefreshEveryNs, (ended - begun) * kCostToPause);
  return status;
}

Status GrowthProbe::read_statements(Session& session, const ServerFacts& facts,
                                    StatementReading& out) const {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(statements_query(facts)));
  out.reserve(static_cast<size_t>(rows.count()));
  for (int r = 0; r < rows.count(); ++r) {
    StatementCounters s;
    s.query_id = rows.integer(r, 0);
    s.calls = rows.number(r, 1);
    s.ms = rows.number(r, 2);
    s.rows = rows.number(r, 3);
    s.blocks_hit = rows.number(r, 4);
    s.blocks_read = rows.number(r, 5);
    s.temp_blocks = rows.number(r, 6);
    if (!rows.is_null(r, 7)) s.wal_bytes = rows.number(r, 7);
    out.emplace(s.query_id, s);
  }
  return Status::ok();
}

Status GrowthProbe::choose_statements(Session& session, const ServerFacts& facts,
                                      const StatementReading& now) {
  auto growth = statement_growth(statements_before_, now);
  const auto own = [&](int64_t id) {
    const auto text = texts_.find(id);
    return text != texts_.end() && text->second.empty();
  };
  const auto candidates =
      top_statements(growth, top_ + kOwnStatements, kTopByCalls + kOwnStatements, own);
  const Status learned = learn_texts(session, facts, candidates);
  statements_ = top_statements(std::move(growth), top_, kTopByCalls, own);
  return learned;
}

Status GrowthProbe::learn_texts(Session& session, const ServerFacts& facts,
                                const std::vector<StatementCounters>& statements) {
  std::vector<int64_t> unknown;
  for (const StatementCounters& s : statements)
    if (!texts_.contains(s.query_id)) unknown.push_back(s.query_id);
  if (unknown.empty()) return Status::ok();
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(statement_texts_query(facts, unknown)));
  for (int r = 0; r < rows.count(); ++r) {
    const std::string_view sql = rows.text(r, 1);
    std::string text;
    if (sql.find(kOwnMark) == std::string_view::npos) {
      text = cut_text(redact_statement(sql), kTableCharacters);
      if (text.empty()) text = "(text not kept)";
    }
    texts_[rows.integer(r, 0)] = std::move(text);
  }
  return Status::ok();
}

Status GrowthProbe::read_tables(Session& session, TableReading& out) const {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(tables_query()));
  for (int r = 0; r < rows.count(); ++r) {
    TableCounters t;
    t.oid = rows.integer(r, 0);
    t.name = rows.text(r, 1);
    t.seq_scans = rows.number(r, 2);
    t.seq_tuples = rows.number(r, 3);
    t.index_scans = rows.number(r, 4);
    out.emplace(t.oid, std::move(t));
  }
  return Status::ok();
}

Status GrowthProbe::choose_tables(Session& session, const TableReading& now) {
  tables_ = top_tables(table_growth(tables_before_, now), kTopTables);
  std::vector<int64_t> oids;
  for (const TableCounters& t : tables_) oids.push_back(t.oid);
  if (oids.empty()) return Status::ok();
  // A table that somebody holds an exclusive lock on would keep the exact reading waiting.
  Result<Rows> rows = session.query(table_sizes_query(oids));
  if (!rows.is_ok() && session.alive()) rows = session.query(table_estimates_query(oids));
  if (!rows.is_ok()) return rows.status();
  for (int r = 0; r < rows->count(); ++r)
    sizes_[rows->integer(r, 0)] = {rows->number(r, 1), rows->number(r, 2)};
  return Status::ok();
}

Status GrowthProbe::emit_statements_table(const ActivityProbe& activity) const {
  TableJson table("Statements that took most time or were called most",
                  {{"query", "Query id"},
                   {"statement", "Statement"},
                   {"calls", "Calls"},
                   {"total", "Total", "ms"},
                   {"mean", "Mean", "ms"},
                   {"rows", "Rows"},
                   {"blocks_hit", "Blocks hit"},
                   {"blocks_read", "Blocks read"},
                   {"temp_blocks", "Temporary blocks"},
                   {"wal", "WAL", "bytes"},
                   {"sessions", "Average sessions"},
                   {"main_event", "Mostly"}});
  for (const StatementCounters& s : statements_) {
    const auto text = texts_.find(s.query_id);
    const auto load = activity.statement_load(s.query_id);
    table.add({query_id_text(s.query_id), text == texts_.end() ? "" : text->second, s.calls,
               rounded(s.ms), rounded(s.ms / s.calls), s.rows, s.blocks_hit, s.blocks_read,
               s.temp_blocks, s.wal_bytes ? nlohmann::json(*s.wal_bytes) : nlohmann::json(nullptr),
               rounded(load.sessions), load.main_event});
  }
  return host_.table("pg_statements", table.text());
}

Status GrowthProbe::emit_tables_table() const {
  TableJson table("Tables by rows read in sequential scans", {{"table", "Table"},
                                                              {"seq_scans", "Sequential scans"},
                                                              {"seq_tuples", "Rows read by them"},
                                                              {"index_scans", "Index scans"},
                                                              {"live", "Live rows"},
                                                              {"size", "Size", "bytes"}});
  for (const TableCounters& t : tables_) {
    const auto size = sizes_.find(t.oid);
    const bool known = size != sizes_.end();
    table.add({t.name, t.seq_scans, t.seq_tuples, t.index_scans,
               known ? nlohmann::json(size->second.live) : nlohmann::json(nullptr),
               known ? nlohmann::json(size->second.bytes) : nlohmann::json(nullptr)});
  }
  return host_.table("pg_tables", table.text());
}

Status GrowthProbe::finish(int64_t end_ns) {
  open_ = false;
  end_ns = std::max(end_ns, start_ns_);
  for (const StatementCounters& s : statements_) {
    const auto text = texts_.find(s.query_id);
    const LabelsOf labels = {
        {"query", query_id_text(s.query_id)},
        {"statement", cut_text(text == texts_.end() ? "" : text->second, kLabelCharacters)}};
    PLUMB_RETURN_IF_ERROR(emit_growth("pg_statement_calls_total", "calls", "Calls of the statement",
                                      labels, end_ns, s.calls));
    PLUMB_RETURN_IF_ERROR(emit_growth("pg_statement_seconds_total", "seconds",
                                      "Time planning and executing the statement", labels, end_ns,
                                      s.ms / 1000));
    PLUMB_RETURN_IF_ERROR(emit_growth("pg_statement_rows_total", "rows",
                                      "Rows that the statement returned or changed", labels, end_ns,
                                      s.rows));
  }
  for (const TableCounters& t : tables_) {
    if (t.seq_scans <= 0) continue;
    const LabelsOf labels = {{"table", t.name}};
    PLUMB_RETURN_IF_ERROR(emit_growth("pg_table_seq_scans_total", "scans",
                                      "Sequential scans of the table", labels, end_ns,
                                      t.seq_scans));
    PLUMB_RETURN_IF_ERROR(emit_growth("pg_table_seq_tuples_total", "rows",
                                      "Rows read by sequential scans of the table", labels, end_ns,
                                      t.seq_tuples));
    const auto size = sizes_.find(t.oid);
    if (size == sizes_.end()) continue;
    PLUMB_RETURN_IF_ERROR(emit_gauge("pg_table_live_tuples", "rows", "Live rows of the table",
                                     labels, end_ns, size->second.live));
    PLUMB_RETURN_IF_ERROR(emit_gauge("pg_table_bytes", "bytes",
                                     "Size of the table without its indexes", labels, end_ns,
                                     size->second.bytes));
  }
  return Status::ok();
}

Status GrowthProbe::emit_growth(const char* name, const char* unit, const char* help,
                                const LabelsOf& labels, int64_t end_ns, double growth) {
  const std::string key = std::string(name) + '\0' + labels.front().second;
  auto at = totals_.find(key);
  if (at == totals_.end()) {
    PLUMB_ASSIGN_OR_RETURN(const Series series, host_.declare({.name = name,
                                                               .unit = unit,
                                                               .kind = PLUMB_KIND_COUNTER,
                                                               .layer = PLUMB_LAYER_DATABASE,
                                                               .help = help,
                                                               .labels = labels}));
    at = totals_.emplace(key, Total{series, 0}).first;
  }
  Total& total = at->second;
  const plumb_sample samples[] = {{total.series.id, 0, start_ns_, total.value},
                                  {total.series.id, 0, end_ns, total.value + growth}};
  total.value += growth;
  return host_.emit(samples);
}

Status GrowthProbe::emit_gauge(const char* name, const char* unit, const char* help,
                               const LabelsOf& labels, int64_t end_ns, double value) {
  const std::string key = std::string(name) + '\0' + labels.front().second;
  auto at = totals_.find(key);
  if (at == totals_.end()) {
    PLUMB_ASSIGN_OR_RETURN(const Series series, host_.declare({.name = name,
                                                               .unit = unit,
                                                               .layer = PLUMB_LAYER_DATABASE,
                                                               .help = help,
                                                               .labels = labels}));
    at = totals_.emplace(key, Total{series, 0}).first;
  }
  return host_.emit_at(at->second.series, end_ns, value);
}

}  // namespace plumb::pg_stats
