#include "plugins/pg_stats/growth_probe.h"

#include <algorithm>
#include <utility>

#include "plugins/pg_stats/catalog_queries.h"
#include "plugins/pg_stats/statement_text.h"
#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {
namespace {

constexpr size_t kTopByCalls = 10;
constexpr size_t kTopTables = 20;
// More are looked at than shown, since the sampler's own are known by their text only.
constexpr size_t kOwnStatements = 16;
constexpr size_t kTableNameCharacters = 130;  // a schema, a dot and a name, of 63 bytes each
constexpr size_t kVacuumRows = 20;
constexpr size_t kMostSuspects = 3;
// Of the usual build; who compiled another size gets a coarser guess.
constexpr double kPageBytes = 8192;

nlohmann::json cell(const std::optional<double>& value) {
  return value ? nlohmann::json(rounded(*value)) : nlohmann::json(nullptr);
}

void keep_first(Status& status, const Status& other) {
  if (status.is_ok()) status = other;
}

}  // namespace

void GrowthProbe::begin(int64_t start_ns) {
  open_ = true;
  have_statements_ = have_tables_ = false;
  start_ns_ = start_ns;
  statements_before_.clear();
  tables_before_.clear();
  statements_.clear();
  tables_.clear();
  statements_elsewhere_.clear();
  tables_elsewhere_.clear();
}

void GrowthProbe::connected(bool same_counters) {
  // A list lost in a crash is nobody's reset.
  list_.reset();
  if (same_counters) return;
  have_statements_ = have_tables_ = false;
  statements_elsewhere_ = statements_;
  tables_elsewhere_ = tables_;
}

Status GrowthProbe::refresh(Session& session, const ServerFacts& facts,
                            const ActivityProbe& activity) {
  Status status = refresh_statements(session, facts, activity);
  if (session.alive()) keep_first(status, refresh_tables(session));
  return status;
}

Status GrowthProbe::refresh_statements(Session& session, const ServerFacts& facts,
                                       const ActivityProbe& activity) {
  if (!facts.has_statements()) return Status::ok();
  StatementReading now;
  PLUMB_RETURN_IF_ERROR(read_statements(session, facts, now));
  Status status = watch_the_list(session, facts);
  if (!have_statements_) {
    statements_before_ = std::move(now);
    have_statements_ = true;
    return status;
  }
  keep_first(status, choose_statements(session, facts, now));
  keep_first(status, emit_statements_table(activity));
  return status;
}

Status GrowthProbe::refresh_tables(Session& session) {
  TableReading now;
  PLUMB_RETURN_IF_ERROR(read_tables(session, now));
  Status status = emit_vacuum_table(now);
  if (!have_tables_) {
    tables_before_ = std::move(now);
    have_tables_ = true;
    return status;
  }
  keep_first(status, choose_tables(session, now));
  keep_first(status, emit_tables_table());
  return status;
}

Status GrowthProbe::watch_the_list(Session& session, const ServerFacts& facts) {
  if (!facts.has("pg_stat_statements_info")) return Status::ok();
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(statements_info_query(facts)));
  if (rows.count() != 1) return Status::ok();
  const ListState now{rows.number(0, 0), rows.number(0, 1)};
  const std::optional<ListState> before = std::exchange(list_, now);
  if (!before) return Status::ok();
  if (before->reset_at != now.reset_at)
    return host_.event(PLUMB_WARNING, "statistics-reset",
                       "somebody reset pg_stat_statements: what statements did before that in "
                       "this stage is lost");
  if (now.dropped > before->dropped)
    return host_.event(PLUMB_WARNING, "statements-dropped",
                       "pg_stat_statements is full and forgot the statements called least, " +
                           std::to_string(static_cast<int64_t>(now.dropped - before->dropped)) +
                           " times since the last look: raise pg_stat_statements.max");
  return Status::ok();
}

Status GrowthProbe::read_statements(Session& session, const ServerFacts& facts,
                                    StatementReading& out) const {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(statements_query(facts)));
  std::array<int, kStatementFields> columns{};
  for (size_t i = 0; i < kStatementFields; ++i) columns[i] = rows.column(statement_fields()[i].key);
  out.reserve(static_cast<size_t>(rows.count()));
  for (int r = 0; r < rows.count(); ++r) {
    StatementCounters s;
    s.query_id = rows.integer(r, 0);
    for (size_t i = 0; i < kStatementFields; ++i)
      if (columns[i] >= 0 && !rows.is_null(r, columns[i])) s.fields[i] = rows.number(r, columns[i]);
    out.emplace(s.query_id, s);
  }
  return Status::ok();
}

Status GrowthProbe::choose_statements(Session& session, const ServerFacts& facts,
                                      const StatementReading& now) {
  auto growth = statement_growth(statements_before_, now);
  add_growth(growth, statements_elsewhere_);
  const auto own = [&](int64_t id) {
    const auto text = texts_.find(id);
    return text != texts_.end() && text->second.empty();
  };
  const auto candidates =
      top_statements(growth, top_ + kOwnStatements, kTopByCalls + kOwnStatements, own);
  Status learned = learn_texts(session, facts, candidates);
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
      text = cut_text(redact_statement(sql, facts.plain_strings_escape), kTableCharacters);
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
    t.name = cut_text(rows.text(r, 1), kTableNameCharacters);
    t.seq_scans = rows.number(r, 2);
    t.seq_tuples = rows.number(r, 3);
    t.index_scans = rows.number(r, 4);
    t.live = rows.number(r, 5);
    t.dead = rows.number(r, 6);
    t.modified = rows.number(r, 7);
    if (!rows.is_null(r, 8)) t.vacuumed_ago = std::max(0.0, rows.number(r, 8));
    out.emplace(t.oid, std::move(t));
  }
  return Status::ok();
}

Status GrowthProbe::choose_tables(Session& session, const TableReading& now) {
  auto growth = table_growth(tables_before_, now);
  add_growth(growth, tables_elsewhere_);
  tables_ = top_tables(std::move(growth), kTopTables);
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
                  {{"query", "Query id"}, {"statement", "Statement"}});
  for (size_t i = 0; i < kStatementFields; ++i) {
    const StatementField& field = statement_fields()[i];
    table.add_column({field.key, field.title, field.unit});
    if (i == kMilliseconds) table.add_column({"mean", "Mean", "ms"});
  }
  table.add_column({"sessions", "Average sessions"});
  table.add_column({"main_event", "Mostly"});
  for (const StatementCounters& s : statements_) {
    std::vector<nlohmann::json> row = {query_id_text(s.query_id), statement_text(s.query_id)};
    for (size_t i = 0; i < kStatementFields; ++i) {
      row.push_back(cell(s.fields[i]));
      if (i == kMilliseconds) row.push_back(rounded(s.ms() / s.calls()));
    }
    const auto load = activity.statement_load(s.query_id);
    row.push_back(rounded(load.sessions));
    row.push_back(load.main_event);
    table.add(row);
  }
  return host_.table("pg_statements", table.text());
}

Status GrowthProbe::emit_tables_table() const {
  TableJson table("Tables by rows read in sequential scans", {{"table", "Table"},
                                                              {"seq_scans", "Sequential scans"},
                                                              {"seq_tuples", "Rows read by them"},
                                                              {"index_scans", "Index scans"},
                                                              {"live", "Live rows"},
                                                              {"size", "Size", "bytes"},
                                                              {"queries", "Query ids"}});
  const std::vector<Suspect> suspected = suspects();
  for (const TableCounters& t : tables_) {
    const auto size = sizes_.find(t.oid);
    const bool known = size != sizes_.end();
    std::string queries;
    for (const Suspect& s : suspected)
      if (s.table == t.name)
        for (const int64_t id : s.query_ids)
          queries += (queries.empty() ? "" : " ") + query_id_text(id);
    table.add({t.name, t.seq_scans, t.seq_tuples, t.index_scans,
               known ? nlohmann::json(size->second.live) : nlohmann::json(nullptr),
               known ? nlohmann::json(size->second.bytes) : nlohmann::json(nullptr), queries});
  }
  return host_.table("pg_tables", table.text());
}

Status GrowthProbe::emit_vacuum_table(const TableReading& now) const {
  TableJson table("Tables with most dead rows", {{"table", "Table"},
                                                 {"dead", "Dead rows"},
                                                 {"live", "Live rows"},
                                                 {"dead_ratio", "Dead share", "ratio"},
                                                 {"modified", "Rows changed since ANALYZE"},
                                                 {"vacuumed", "Last autovacuum ago", "seconds"}});
  for (const TableCounters& t : most_dead(now, kVacuumRows))
    table.add({t.name, t.dead, t.live, rounded(t.dead / (t.dead + t.live)), t.modified,
               cell(t.vacuumed_ago)});
  return host_.table("pg_vacuum_debt", table.text());
}

std::string GrowthProbe::statement_text(int64_t query_id) const {
  const auto text = texts_.find(query_id);
  return text == texts_.end() ? std::string() : text->second;
}

std::vector<Suspect> GrowthProbe::suspects() const {
  std::vector<ScannedTable> tables;
  for (const TableCounters& t : tables_) {
    const auto size = sizes_.find(t.oid);
    tables.push_back({t.name, t.seq_scans, t.seq_tuples,
                      size == sizes_.end() ? 0 : size->second.bytes / kPageBytes});
  }
  std::vector<StatementUse> uses;
  for (const StatementCounters& s : statements_)
    uses.push_back(
        {s.query_id, s.calls(), s.blocks(), names_in_statement(statement_text(s.query_id))});
  return find_suspects(tables, uses, kMostSuspects);
}

Status GrowthProbe::finish(int64_t end_ns) {
  open_ = false;
  end_ns = std::max(end_ns, start_ns_);
  for (const StatementCounters& s : statements_) PLUMB_RETURN_IF_ERROR(finish_statement(s, end_ns));
  for (const TableCounters& t : tables_)
    if (t.seq_scans > 0) PLUMB_RETURN_IF_ERROR(finish_table(t, end_ns));
  return Status::ok();
}

Status GrowthProbe::finish_statement(const StatementCounters& statement, int64_t end_ns) {
  const LabelsOf labels = {
      {"query", query_id_text(statement.query_id)},
      {"statement", cut_text(statement_text(statement.query_id), kLabelCharacters)}};
  for (size_t i = 0; i < kStatementFields; ++i) {
    const StatementField& field = statement_fields()[i];
    const std::optional<double>& grown = statement.fields[i];
    // Of the many, only what a statement did; calls, time and rows always.
    if (field.series == nullptr || !grown || (i > kRows && *grown <= 0)) continue;
    PLUMB_RETURN_IF_ERROR(emit_growth(field.series, field.series_unit, field.help, labels, end_ns,
                                      *grown * field.to_series));
  }
  return Status::ok();
}

Status GrowthProbe::finish_table(const TableCounters& t, int64_t end_ns) {
  const LabelsOf labels = {{"table", t.name}};
  PLUMB_RETURN_IF_ERROR(emit_growth("pg_table_seq_scans_total", "scans",
                                    "Sequential scans of the table", labels, end_ns, t.seq_scans));
  PLUMB_RETURN_IF_ERROR(emit_growth("pg_table_seq_tuples_total", "rows",
                                    "Rows read by sequential scans of the table", labels, end_ns,
                                    t.seq_tuples));
  const auto size = sizes_.find(t.oid);
  if (size == sizes_.end()) return Status::ok();
  PLUMB_RETURN_IF_ERROR(emit_gauge("pg_table_live_tuples", "rows", "Live rows of the table", labels,
                                   end_ns, size->second.live));
  PLUMB_RETURN_IF_ERROR(
      emit_gauge("pg_table_dead_tuples", "rows", "Dead rows of the table", labels, end_ns, t.dead));
  return emit_gauge("pg_table_bytes", "bytes", "Size of the table without its indexes", labels,
                    end_ns, size->second.bytes);
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
