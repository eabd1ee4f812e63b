#include "plugins/pg_stats/table_json.h"

#include <cmath>

namespace plumb::pg_stats {

using nlohmann::json;

TableJson::TableJson(const char* title, std::initializer_list<Column> columns) {
  json_["title"] = title;
  json_["columns"] = json::array();
  json_["rows"] = json::array();
  for (const Column& c : columns) {
    json column = {{"key", c.key}, {"title", c.title}};
    if (c.unit != nullptr) column["unit"] = c.unit;
    json_["columns"].push_back(std::move(column));
  }
}

void TableJson::add(std::initializer_list<json> cells) {
  json row = json::array();
  for (const json& cell : cells) row.push_back(cell);
  json_["rows"].push_back(std::move(row));
}

std::string TableJson::text() const {
  return json_.dump(-1, ' ', false, json::error_handler_t::replace);
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace plumb::pg_stats
