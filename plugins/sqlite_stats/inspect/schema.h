// Tables and indexes of a database, with what is known of their sizes.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECT_SCHEMA_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECT_SCHEMA_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connection.h"

namespace plumb::sqlite_inspect {

struct Index {
  std::string name;
  std::vector<std::string> columns;  // "<expression>" for one
  std::vector<std::string> keys;     // the same with collation and direction, for comparing
  bool unique = false;
  bool partial = false;
  bool made_by_hand = false;  // CREATE INDEX, not a constraint
  std::optional<uint64_t> bytes;
  std::vector<std::string> notes;
};

struct Table {
  std::string name;
  std::vector<std::string> columns;
  bool is_virtual = false;
  bool without_rowid = false;
  std::optional<uint64_t> rows;  // estimated
  std::string rows_from;
  std::optional<uint64_t> bytes;
  std::vector<Index> indexes;
  std::vector<std::string> notes;

  bool has_column(const std::string& name) const;
};

struct Schema {
  std::vector<Table> tables;
  std::vector<std::string> notes;  // what is missing, and why

  const Table* find(const std::string& name) const;
};

// Names of tables and columns are the same whatever their case.
bool same_name(const std::string& a, const std::string& b);

// Throws SQLite::Exception when the schema cannot be read. What comes after it (row counts, sizes)
// is left out with a note when time or a writer cuts it short.
Schema read_schema(Connection& connection, uint64_t file_bytes);

// Notes indexes whose columns another one begins with.
void note_duplicate_indexes(Table& table);

}  // namespace plumb::sqlite_inspect

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECT_SCHEMA_H_
