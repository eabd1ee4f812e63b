// The JSON of a table signal.
#ifndef PLUMB_PLUGINS_PG_STATS_TABLE_JSON_H_
#define PLUMB_PLUGINS_PG_STATS_TABLE_JSON_H_

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plumb::pg_stats {

// Builds {"title", "columns", "rows"} row by row.
class TableJson {
 public:
  struct Column {
    const char* key;
    const char* title;
    const char* unit = nullptr;
  };
  TableJson(const char* title, std::initializer_list<Column> columns);
  // Before the first row.
  void add_column(const Column& column);
  // One cell per column, in their order: strings, numbers or null. A table takes 1,000 rows; what
  // is more is left out.
  void add(std::initializer_list<nlohmann::json> cells);
  void add(const std::vector<nlohmann::json>& cells);
  // Text that is no UTF-8 is replaced, so this never fails.
  std::string text() const;

 private:
  nlohmann::json json_;
};

// `value` with three decimals, as people read milliseconds and averages.
double rounded(double value);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_TABLE_JSON_H_
