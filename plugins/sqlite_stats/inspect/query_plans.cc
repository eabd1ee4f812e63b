#include "query_plans.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "sql_text.h"

namespace plumb::sqlite_inspect {
namespace {

constexpr size_t kMostSteps = 40;
constexpr size_t kMostTextBytes = 600;
// Reading a smaller table whole costs less than the request around it.
constexpr uint64_t kBigTable = 1000;

// While a statement of the file is compiled: it may name what it likes, as long as it only reads or
// changes rows. Some PRAGMAs act while they are compiled, so none is let through.
class OnlyQueries {
 public:
  explicit OnlyQueries(sqlite3* db) : db_(db) { sqlite3_set_authorizer(db_, judge, nullptr); }
  ~OnlyQueries() { sqlite3_set_authorizer(db_, nullptr, nullptr); }
  OnlyQueries(const OnlyQueries&) = delete;
  OnlyQueries& operator=(const OnlyQueries&) = delete;

 private:
  static int judge(void*, int action, const char*, const char* name, const char*, const char*) {
    switch (action) {
      case SQLITE_SELECT:
      case SQLITE_READ:
      case SQLITE_RECURSIVE:
      case SQLITE_INSERT:
      case SQLITE_UPDATE:
      case SQLITE_DELETE:
        return SQLITE_OK;
      case SQLITE_FUNCTION:
        return name != nullptr && std::strcmp(name, "load_extension") != 0 ? SQLITE_OK
                                                                           : SQLITE_DENY;
      default:
        return SQLITE_DENY;
    }
  }
  sqlite3* db_;
};

// What went wrong, without anything that the statement says: SQLite's messages quote it.
std::string reason_of(const SQLite::Exception& e) {
  if (e.getErrorCode() == SQLITE_AUTH)
    return "only SELECT, INSERT, UPDATE and DELETE are explained";
  if (e.getErrorCode() == SQLITE_INTERRUPT) return "stopped for lack of time, or for a writer";
  const std::string message = e.what();
  for (const char* known : {"no such table", "no such column", "no such function", "syntax error",
                            "incomplete input", "ambiguous column name"}) {
    if (message.find(known) != std::string::npos) return known;
  }
  return sqlite3_errstr(e.getErrorCode());
}

// "SCAN orders USING INDEX by_day", "SEARCH o USING AUTOMATIC COVERING INDEX (id=?)", as SQLite
// words its plans; "SCAN TABLE orders" before 3.36.
struct Step {
  bool scans = false;
  std::string object;  // table or alias
  std::string index;
  std::string automatic;  // the columns of an index that is built for this statement alone
};

std::optional<Step> step_of(const std::string& detail) {
  std::vector<Token> tokens = tokens_of(detail);
  if (tokens.size() < 2) return std::nullopt;
  Step step;
  step.scans = tokens[0].is("SCAN");
  if (!step.scans && !tokens[0].is("SEARCH")) return std::nullopt;
  const size_t name = tokens[1].is("TABLE") && tokens.size() > 2 ? 2 : 1;
  if (!tokens[name].is_name() || tokens[name].is("CONSTANT")) return std::nullopt;
  step.object = tokens[name].text;
  for (size_t i = name + 1; i < tokens.size(); ++i) {
    if (tokens[i].is("VIRTUAL")) return std::nullopt;
    if (tokens[i].is("AUTOMATIC")) {
      const size_t open = detail.find('(');
      const size_t close = detail.find(')', open == std::string::npos ? 0 : open);
      if (open != std::string::npos && close != std::string::npos)
        step.automatic = detail.substr(open + 1, close - open - 1);
      return step;
    }
    if (tokens[i].is("INDEX") && i + 1 < tokens.size() && tokens[i + 1].is_name())
      step.index = tokens[i + 1].text;
  }
  return step;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// "a=? AND b>?" to "a, b".
std::string columns_in(const std::string& terms) {
  std::vector<std::string> names;
  for (const Token& token : tokens_of(terms)) {
    if (token.is_name() && !token.is("AND") &&
        std::find(names.begin(), names.end(), token.text) == names.end())
      names.push_back(token.text);
  }
  return list_of(names);
}

class Explainer {
 public:
  Explainer(Connection& connection, const Schema& schema)
      : connection_(connection), schema_(schema) {
    for (const Table& table : schema.tables) {
      known_.insert(lower_case(table.name));
      for (const std::string& column : table.columns) known_.insert(lower_case(column));
      for (const Index& index : table.indexes) known_.insert(lower_case(index.name));
    }
  }

  StatementPlan explain(const Statement& statement, size_t number) {
    StatementPlan out;
    out.number = number;
    out.text = without_literals(statement.tokens, [this](const std::string& name) {
      return known_.contains(lower_case(name));
    });
    if (out.text.size() > kMostTextBytes) out.text = out.text.substr(0, kMostTextBytes) + "...";
    try {
      const OnlyQueries only_queries(connection_.database().getHandle());
      SQLite::Statement query(connection_.database(), "EXPLAIN QUERY PLAN " + statement.sql);
      while (query.executeStep()) {
        const std::string step = query.getColumn(3).getString();
        note_index_of(step);
        if (out.steps.size() < kMostSteps) out.steps.push_back(step);
      }
    } catch (const SQLite::Exception& e) {
      out.findings.push_back("not explained: " + reason_of(e));
      return out;
    }
    ++explained_;
    const auto aliases = aliases_of(statement.tokens, [this](const std::string& name) {
      return schema_.find(name) != nullptr;
    });
    for (const std::string& detail : out.steps) look_at(detail, statement, aliases, out);
    return out;
  }

  // How many statements were explained to the end, and the indexes that their plans name.
  size_t explained() const { return explained_; }
  const std::set<std::string>& used_indexes() const { return used_; }

 private:
  using Aliases = std::map<std::string, std::string>;

  void note_index_of(const std::string& detail) {
    const auto step = step_of(detail);
    if (step && !step->index.empty()) used_.insert(lower_case(step->index));
  }

  void look_at(const std::string& detail, const Statement& statement, const Aliases& aliases,
               StatementPlan& out) {
    if (detail.rfind("USE TEMP B-TREE FOR ", 0) == 0) {
      out.findings.push_back("sorts or groups its rows in a temporary table for " +
                             detail.substr(std::strlen("USE TEMP B-TREE FOR ")));
      return;
    }
    const auto step = step_of(detail);
    if (!step) return;
    const auto alias = aliases.find(lower_case(step->object));
    const Table* table = schema_.find(alias == aliases.end() ? step->object : alias->second);
    if (table == nullptr) return;
    if (!step->automatic.empty()) {
      out.findings.push_back("builds an index of " + table->name + "(" +
                             columns_in(step->automatic) +
                             ") each time it runs: CREATE INDEX would keep it");
      return;
    }
    if (!step->scans || (table->rows && *table->rows < kBigTable)) return;
    out.findings.push_back(scan_text(*step, *table, statement, aliases));
  }

  std::string scan_text(const Step& step, const Table& table, const Statement& statement,
                        const Aliases& aliases) const {
    const std::string rows =
        table.rows ? "about " + std::to_string(*table.rows) + " rows" : "all rows";
    std::string text = "SCAN of " + table.name + ": reads " + rows;
    if (!step.index.empty()) text += " through index " + step.index;
    const Conditions conditions =
        conditions_of(statement.tokens, [&](const std::string& qualifier, const std::string& name) {
          return is_column_of(table, aliases, qualifier, name);
        });
    if (conditions.empty()) return text + "; no condition on its columns narrows that";
    std::vector<std::string> filters = conditions.equal;
    filters.insert(filters.end(), conditions.range.begin(), conditions.range.end());
    // An index serves equality on its first columns and one range after them.
    std::vector<std::string> wanted = conditions.equal;
    if (!conditions.range.empty()) wanted.push_back(conditions.range.front());
    return text + "; filter on columns " + list_of(filters) + ": an index on " + table.name + "(" +
           list_of(wanted) + ") may serve it";
  }

  // A bare name counts only when no other table of the statement has such a column.
  bool is_column_of(const Table& table, const Aliases& aliases, const std::string& qualifier,
                    const std::string& name) const {
    if (!table.has_column(name)) return false;
    if (!qualifier.empty()) {
      const auto alias = aliases.find(lower_case(qualifier));
      return alias != aliases.end() && same_name(alias->second, table.name);
    }
    return std::none_of(aliases.begin(), aliases.end(), [&](const auto& alias) {
      const Table* other = schema_.find(alias.second);
      return other != nullptr && other != &table && other->has_column(name);
    });
  }

  Connection& connection_;
  const Schema& schema_;
  std::set<std::string> known_;
  std::set<std::string> used_;
  size_t explained_ = 0;
};

// What is left out may use any index, so it is said with the claim.
std::string unused_text(size_t explained, size_t failed, bool has_more) {
  std::string text = "used by none of the " + std::to_string(explained) + " statements explained";
  if (failed > 0) text += "; " + std::to_string(failed) + " could not be";
  if (has_more) text += "; those after the first " + std::to_string(kMostStatements) + " were not";
  return text;
}

}  // namespace

std::vector<StatementPlan> explain(Connection& connection, Schema& schema, std::string_view text) {
  // One more than are explained, to know whether there are.
  std::vector<Statement> statements = statements_of(text, kMostStatements + 1);
  const bool has_more = statements.size() > kMostStatements;
  if (has_more) statements.pop_back();
  std::vector<StatementPlan> out;
  out.reserve(statements.size());
  Explainer explainer(connection, schema);
  for (const Statement& statement : statements)
    out.push_back(explainer.explain(statement, out.size() + 1));
  if (has_more)
    schema.notes.push_back("statements after the first " + std::to_string(kMostStatements) +
                           " are not explained");
  if (explainer.explained() == 0) return out;
  const std::string unused =
      unused_text(explainer.explained(), out.size() - explainer.explained(), has_more);
  for (Table& table : schema.tables) {
    for (Index& index : table.indexes) {
      if (!index.made_by_hand || index.unique) continue;
      if (!explainer.used_indexes().contains(lower_case(index.name))) index.notes.push_back(unused);
    }
  }
  return out;
}

}  // namespace plumb::sqlite_inspect
