// Any bytes as what plumb-sqlite-inspect prints: no crash, bounded tables, rows as wide as their
// columns.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "plugins/sqlite_stats/inspection.h"
#include "plugins/sqlite_stats/tables.h"

namespace {

void check(const nlohmann::json& rows, const nlohmann::json& table) {
  for (const nlohmann::json& row : rows) {
    if (row.size() != table.at("columns").size()) __builtin_trap();
  }
  plumb::sqlite_stats::to_text(rows);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plumb::sqlite_stats;
  const auto read = parse_inspection({reinterpret_cast<const char*>(data), size});
  if (!read.is_ok()) return 0;
  if (read->tables.size() > 1000 || read->statements.size() > 1000) __builtin_trap();
  nlohmann::json rows = nlohmann::json::array();
  read->add_table_rows("shop.db", rows);
  check(rows, tables_table());
  rows = nlohmann::json::array();
  read->add_plan_rows("shop.db", rows);
  check(rows, plans_table());
  return 0;
}
