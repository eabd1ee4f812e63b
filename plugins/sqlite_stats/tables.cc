#include "tables.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace plumb::sqlite_stats {
namespace {

constexpr size_t kMostRows = 1000;

struct Column {
  const char* key;
  const char* title;
  const char* unit = nullptr;
};

nlohmann::json table(const char* title, std::initializer_list<Column> columns) {
  nlohmann::json out{
      {"title", title}, {"columns", nlohmann::json::array()}, {"rows", nlohmann::json::array()}};
  for (const Column& column : columns) {
    nlohmann::json entry{{"key", column.key}, {"title", column.title}};
    if (column.unit != nullptr) entry["unit"] = column.unit;
    out["columns"].push_back(std::move(entry));
  }
  return out;
}

}  // namespace

nlohmann::json holders_table() {
  return table("Who held SQLite's write lock", {{"database", "Database"},
                                                {"pid", "Process"},
                                                {"command", "Command"},
                                                {"lock", "Lock"},
                                                {"share", "Share of samples", "ratio"},
                                                {"longest", "Longest hold", "seconds"},
                                                {"of_held", "Share of the time held", "ratio"}});
}

nlohmann::json readers_table() {
  return table("Readers that held SQLite's checkpoints back",
               {{"database", "Database"},
                {"pid", "Process"},
                {"command", "Command"},
                {"slot", "Slot"},
                {"frame", "Checkpoints stop at frame"},
                {"held_back", "Frames held back", "pages"},
                {"seconds", "For", "seconds"},
                {"state", "State"}});
}

nlohmann::json databases_table() {
  return table("SQLite databases", {{"database", "Database"},
                                    {"journal_mode", "Journal mode"},
                                    {"page_bytes", "Page size", "bytes"},
                                    {"pages", "Pages"},
                                    {"free_pages", "Free pages"},
                                    {"auto_vacuum", "Auto-vacuum"},
                                    {"synchronous", "Synchronous"},
                                    {"user_version", "User version"},
                                    {"application_id", "Application id"},
                                    {"written_by", "Last written by SQLite"},
                                    {"notes", "Notes"}});
}

nlohmann::json tables_table() {
  return table("Tables of SQLite databases", {{"database", "Database"},
                                              {"table", "Table"},
                                              {"rows", "Rows, estimated"},
                                              {"rows_from", "Estimated from"},
                                              {"bytes", "Size", "bytes"},
                                              {"indexes", "Indexes"},
                                              {"index_bytes", "Size of indexes", "bytes"},
                                              {"notes", "Notes"}});
}

nlohmann::json plans_table() {
  return table("Plans of SQLite statements", {{"database", "Database"},
                                              {"number", "Statement number"},
                                              {"statement", "Statement"},
                                              {"plan", "Plan"},
                                              {"finding", "Finding"}});
}

void keep_largest(nlohmann::json& table, size_t column) {
  nlohmann::json& rows = table["rows"];
  std::stable_sort(rows.begin(), rows.end(),
                   [column](const nlohmann::json& a, const nlohmann::json& b) {
                     return a.at(column) > b.at(column);
                   });
  if (rows.size() > kMostRows) rows.erase(rows.begin() + kMostRows, rows.end());
}

std::string to_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

double rounded(double value, double unit) {
  return std::round(value / unit) / std::round(1 / unit);  // the nearest number to the decimal one
}

double seconds_of(int64_t ns) { return rounded(static_cast<double>(ns) / 1e9, 1e-3); }

std::string process_text(int32_t pid, const std::string& command) {
  if (pid == 0) return "a process outside plumb's PID namespace";
  return "process " + std::to_string(pid) + " (" + command + ")";
}

}  // namespace plumb::sqlite_stats
