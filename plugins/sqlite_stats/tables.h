// The tables of this plugin: their columns, and how their cells are written.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_TABLES_H_
#define PLUMB_PLUGINS_SQLITE_STATS_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace plumb::sqlite_stats {

// A table without rows, as plumb_table wants it.
nlohmann::json holders_table();
nlohmann::json readers_table();
nlohmann::json databases_table();
nlohmann::json tables_table();
nlohmann::json plans_table();

// Sorts the rows by the number in a column, largest first, and keeps as many as a table may have.
void keep_largest(nlohmann::json& table, size_t column);

// Text of JSON, with what is no UTF-8 replaced.
std::string to_text(const nlohmann::json& json);

// To a whole number of units, of which a whole number is 1: 1e-3, 1e-4.
double rounded(double value, double unit);
// Seconds to the millisecond.
double seconds_of(int64_t ns);
// "process 41 (shop)".
std::string process_text(int32_t pid, const std::string& command);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_TABLES_H_
