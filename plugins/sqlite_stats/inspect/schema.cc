#include "schema.h"

#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace plumb::sqlite_inspect {
namespace {

constexpr size_t kMostTables = 500;
constexpr size_t kMostIndexes = 64;
constexpr size_t kMostColumns = 200;
// dbstat reads every page, in one transaction.
constexpr uint64_t kMostBytesForSizes = 64ULL << 20;
constexpr auto kMostTimeForSizes = std::chrono::milliseconds(250);

bool is_hidden(const std::string& name) { return name.rfind("sqlite_", 0) == 0; }

std::vector<Table> list_tables(SQLite::Database& db) {
  std::vector<Table> out;
  SQLite::Statement query(db,
                          "SELECT name, type, wr FROM pragma_table_list"
                          " WHERE schema = 'main' AND type IN ('table', 'virtual', 'shadow')"
                          " ORDER BY name");
  while (out.size() < kMostTables && query.executeStep()) {
    Table table;
    table.name = query.getColumn(0).getString();
    if (is_hidden(table.name)) continue;
    table.is_virtual = query.getColumn(1).getString() == "virtual";
    table.without_rowid = query.getColumn(2).getInt() != 0;
    out.push_back(std::move(table));
  }
  return out;
}

void read_columns(SQLite::Database& db, Table& table) {
  SQLite::Statement query(db, "SELECT name FROM pragma_table_info(?)");
  query.bind(1, table.name);
  while (table.columns.size() < kMostColumns && query.executeStep())
    table.columns.push_back(query.getColumn(0).getString());
}

void read_index_columns(SQLite::Database& db, Index& index) {
  SQLite::Statement query(
      db, "SELECT name, \"desc\", coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno");
  query.bind(1, index.name);
  while (index.columns.size() < kMostColumns && query.executeStep()) {
    const bool expression = query.getColumn(0).isNull();
    const std::string name = expression ? "<expression>" : query.getColumn(0).getString();
    index.columns.push_back(name);
    // Two expressions are never taken for the same.
    index.keys.push_back((expression ? index.name + "/" : "") + name + "/" +
                         query.getColumn(1).getString() + "/" + query.getColumn(2).getString());
  }
}

void read_indexes(SQLite::Database& db, Table& table) {
  SQLite::Statement query(db,
                          "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?)"
                          " ORDER BY name");
  query.bind(1, table.name);
  while (table.indexes.size() < kMostIndexes && query.executeStep()) {
    Index index;
    index.name = query.getColumn(0).getString();
    index.unique = query.getColumn(1).getInt() != 0;
    index.made_by_hand = query.getColumn(2).getString() == "c";
    index.partial = query.getColumn(3).getInt() != 0;
    table.indexes.push_back(std::move(index));
  }
  for (Index& index : table.indexes) read_index_columns(db, index);
}

// The first number of a line of sqlite_stat1 is the number of rows when ANALYZE was run.
std::map<std::string, uint64_t> analyzed_rows(SQLite::Database& db) {
  std::map<std::string, uint64_t> out;
  if (!db.tableExists("sqlite_stat1")) return out;
  SQLite::Statement query(db, "SELECT tbl, stat FROM sqlite_stat1");
  while (query.executeStep()) {
    const std::string stat = query.getColumn(1).getString();
    uint64_t rows = 0;
    const auto parsed = std::from_chars(stat.data(), stat.data() + stat.size(), rows);
    if (parsed.ec != std::errc()) continue;
    uint64_t& most = out[query.getColumn(0).getString()];
    most = std::max(most, rows);
  }
  return out;
}

// A name by which the row id can be had: columns may go by the usual ones.
std::optional<std::string> rowid_name(const Table& table) {
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    if (!table.has_column(name)) return name;
  }
  return std::nullopt;
}

void estimate_rows(SQLite::Database& db, const std::map<std::string, uint64_t>& analyzed,
                   Table& table) {
  if (table.is_virtual) return;
  if (!table.without_rowid) {
    if (const auto rowid = rowid_name(table)) {
      SQLite::Statement query(db,
                              "SELECT max(" + *rowid + ") FROM main." + identifier_of(table.name));
      if (query.executeStep()) {
        // The largest row id: exact where rows were only ever added, at the end.
        const int64_t most = query.getColumn(0).isNull() ? 0 : query.getColumn(0).getInt64();
        table.rows = most > 0 ? static_cast<uint64_t>(most) : 0;
        table.rows_from = "largest row id";
      }
    }
  }
  const auto known = analyzed.find(table.name);
  if (known == analyzed.end()) return;
  // Gaps make the largest row id larger than the number of rows, and ANALYZE may be long ago.
  if (table.rows && known->second > *table.rows) return;
  table.rows = known->second;
  table.rows_from = "ANALYZE";
}

void read_sizes(Connection& connection, Schema& schema) {
  std::map<std::string, uint64_t> sizes;
  connection.limit(Connection::Clock::now() + kMostTimeForSizes);
  SQLite::Statement query(connection.database(),
                          "SELECT name, sum(pgsize) FROM dbstat WHERE schema = 'main' GROUP BY 1");
  while (query.executeStep())
    sizes[query.getColumn(0).getString()] = static_cast<uint64_t>(query.getColumn(1).getInt64());
  const auto size_of = [&sizes](const std::string& name) {
    const auto found = sizes.find(name);
    return found == sizes.end() ? std::nullopt : std::optional(found->second);
  };
  for (Table& table : schema.tables) {
    table.bytes = size_of(table.name);
    for (Index& index : table.indexes) index.bytes = size_of(index.name);
  }
}

std::string cut_short(const Connection& connection) {
  return connection.gave_way() ? "stopped for a writer" : "stopped for lack of time";
}

bool starts_with_keys(const Index& longer, const Index& shorter) {
  return longer.keys.size() >= shorter.keys.size() &&
         std::equal(shorter.keys.begin(), shorter.keys.end(), longer.keys.begin());
}

}  // namespace

bool same_name(const std::string& a, const std::string& b) {
  return ::strcasecmp(a.c_str(), b.c_str()) == 0;
}

bool Table::has_column(const std::string& column) const {
  return std::any_of(columns.begin(), columns.end(),
                     [&column](const std::string& c) { return same_name(c, column); });
}

const Table* Schema::find(const std::string& name) const {
  for (const Table& table : tables) {
    if (same_name(table.name, name)) return &table;
  }
  return nullptr;
}

Schema read_schema(Connection& connection, uint64_t file_bytes) {
  Schema schema;
  SQLite::Database& db = connection.database();
  schema.tables = list_tables(db);
  if (schema.tables.size() == kMostTables)
    schema.notes.push_back("only the first " + std::to_string(kMostTables) +
                           " tables were looked at");
  for (Table& table : schema.tables) {
    read_columns(db, table);
    read_indexes(db, table);
    note_duplicate_indexes(table);
  }
  try {
    const auto analyzed = analyzed_rows(db);
    for (Table& table : schema.tables) estimate_rows(db, analyzed, table);
  } catch (const SQLite::Exception& e) {
    if (e.getErrorCode() != SQLITE_INTERRUPT) throw;
    schema.notes.push_back("row estimates " + cut_short(connection));
    return schema;
  }
  if (sqlite3_compileoption_used("ENABLE_DBSTAT_VTAB") == 0) {
    schema.notes.push_back("no sizes of tables: this SQLite was built without dbstat");
  } else if (file_bytes > kMostBytesForSizes) {
    schema.notes.push_back("no sizes of tables: the file is larger than 64 MiB");
  } else {
    try {
      read_sizes(connection, schema);
    } catch (const SQLite::Exception& e) {
      if (e.getErrorCode() != SQLITE_INTERRUPT) throw;
      schema.notes.push_back("sizes of tables " + cut_short(connection));
    }
    connection.unlimit();
  }
  return schema;
}

void note_duplicate_indexes(Table& table) {
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    Index& index = table.indexes[i];
    if (index.unique || index.partial || !index.made_by_hand) continue;
    for (size_t k = 0; k < table.indexes.size(); ++k) {
      const Index& other = table.indexes[k];
      if (k == i || other.partial || !starts_with_keys(other, index)) continue;
      const bool equal = other.keys.size() == index.keys.size();
      // Of two that are the same, one is enough to note.
      if (equal && !other.unique && other.made_by_hand && k > i) continue;
      index.notes.push_back((equal ? "has the columns of index " : "its columns begin index ") +
                            other.name + ", which serves as well");
      break;
    }
  }
}

}  // namespace plumb::sqlite_inspect
