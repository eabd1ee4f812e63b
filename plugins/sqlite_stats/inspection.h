// What plumb-sqlite-inspect prints, as this plugin reads it. The format is documented in
// inspect/README.md. That program reads files of strangers, so its output is not trusted either.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECTION_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECTION_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::sqlite_stats {

struct InspectedIndex {
  std::string name;
  std::vector<std::string> columns;
  bool unique = false;
  std::optional<uint64_t> bytes;
  std::vector<std::string> notes;
};

struct InspectedTable {
  std::string name;
  std::optional<uint64_t> rows;  // estimated
  std::string rows_from;
  std::optional<uint64_t> bytes;
  std::vector<InspectedIndex> indexes;
  std::vector<std::string> notes;
};

struct InspectedStatement {
  uint64_t number = 0;
  std::string text;  // without literals
  std::vector<std::string> plan;
  std::vector<std::string> findings;
};

struct Inspection {
  std::string refused;  // why nothing was looked at; empty when it was
  std::vector<InspectedTable> tables;
  std::vector<InspectedStatement> statements;
  std::vector<std::string> notes;

  // Append rows to the tables sqlite_tables and sqlite_plans.
  void add_table_rows(const std::string& database, nlohmann::json& rows) const;
  void add_plan_rows(const std::string& database, nlohmann::json& rows) const;
};

constexpr size_t kMostInspectionBytes = 1u << 20;

// INVALID_ARGUMENT when the text is not what that program prints; texts are cut, and what is beyond
// a table's thousand rows is left out.
Result<Inspection> parse_inspection(std::string_view json);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECTION_H_
