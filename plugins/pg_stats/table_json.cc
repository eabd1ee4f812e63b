#include "plugins/pg_stats/table_json.h"

#include <cmath>

namespace plumb::pg_stats {

using nlohmann::json;

namespace {

constexpr size_t kMostRows = 1000;

}  // namespace

TableJson::TableJson(const char* title, std::initializer_list<Column> columns) {
  json_["title"] = title;
  json_["columns"] = json::array();
  json_["rows"] = json::array();
  for (const Column& c : columns) add_column(c);
}

void TableJson::add_column(const Column& column) {
  json out = {{"key", column.key}, {"title", column.title}};
  if (column.unit != nullptr) out["unit"] = column.unit;
  json_["columns"].push_back(std::move(out));
}

void TableJson::add(std::initializer_list<json> cells) { add(std::vector<json>(cells)); }

void TableJson::add(const std::vector<json>& cells) {
  if (json_["rows"].size() < kMostRows) json_["rows"].push_back(json(cells));
}

std::string TableJson::text() const {
  return json_.dump(-1, ' ', false, json::error_handler_t::replace);
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace plumb::pg_stats
