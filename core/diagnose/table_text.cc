#include "core/diagnose/table_text.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

namespace plumb::diagnose {
namespace {

using nlohmann::json;

constexpr size_t kMostTexts = 20;  // of one column; as many as `top -p` takes

// Text and numbers as they are: a pid or an id has no grouping of digits.
std::optional<std::string> cell_text(const json& cell) {
  if (cell.is_string()) return cell.get<std::string>();
  if (cell.is_number()) return cell.dump();
  return std::nullopt;
}

std::set<std::string> entries_of(std::string_view list) {
  constexpr std::string_view kSeparators = ", \t\n";
  std::set<std::string> out;
  size_t at = list.find_first_not_of(kSeparators);
  while (at != std::string_view::npos) {
    const size_t end = list.find_first_of(kSeparators, at);
    out.emplace(list.substr(at, end - at));
    at = list.find_first_not_of(kSeparators, end);
  }
  return out;
}

bool equals(const std::string& cell, const std::string& wanted) {
  return !wanted.empty() && cell == wanted;
}

bool shares_an_entry(const std::string& cell, const std::string& wanted) {
  const std::set<std::string> of_cell = entries_of(cell);
  const std::set<std::string> of_wanted = entries_of(wanted);
  return std::any_of(of_wanted.begin(), of_wanted.end(),
                     [&](const std::string& entry) { return of_cell.count(entry) > 0; });
}

std::optional<size_t> column_of(const json& table, const std::string& key) {
  const json& columns = table["columns"];
  for (size_t i = 0; i < columns.size(); ++i)
    if (columns[i].is_object() && columns[i].value("key", json()) == key) return i;
  return std::nullopt;
}

std::optional<std::string> text_at(const json& row, std::optional<size_t> column) {
  if (!column || !row.is_array() || *column >= row.size()) return std::nullopt;
  return cell_text(row[*column]);
}

using Says = bool (*)(const std::string& cell, const std::string& wanted);

std::vector<const json*> rows_that_say(const json& table, const std::vector<CellCondition>& where,
                                       Says says) {
  std::vector<const json*> out;
  for (const json& row : table["rows"]) {
    const bool meets = std::all_of(where.begin(), where.end(), [&](const CellCondition& condition) {
      const auto cell = text_at(row, column_of(table, condition.column));
      return cell && says(*cell, condition.text);
    });
    if (meets) out.push_back(&row);
  }
  return out;
}

// A path may hold a blank and be no list: what says the very same goes first.
std::vector<const json*> rows_that_meet(const json& table,
                                        const std::vector<CellCondition>& where) {
  std::vector<const json*> same = rows_that_say(table, where, equals);
  return same.empty() ? rows_that_say(table, where, shares_an_entry) : same;
}

}  // namespace

const json& TableTexts::parsed(const std::string& table) {
  const auto [slot, inserted] = tables_.try_emplace(table);
  if (!inserted) return slot->second;
  for (const TableRecord& record : run_.tables) {
    if (record.name != table) continue;
    json content = json::parse(record.json, nullptr, false);
    if (content.is_object() && content.contains("columns") && content["columns"].is_array() &&
        content.contains("rows") && content["rows"].is_array())
      slot->second = std::move(content);
    break;
  }
  return slot->second;
}

std::string TableTexts::find(const std::string& table, const std::string& column,
                             const std::vector<CellCondition>& where, const std::string& fallback) {
  const json& content = parsed(table);
  if (content.is_null()) return fallback;
  const std::optional<size_t> wanted = column_of(content, column);
  const std::vector<const json*> rows = rows_that_meet(content, where);
  return rows.empty() ? fallback : text_at(*rows.front(), wanted).value_or(fallback);
}

std::string TableTexts::find_all(const std::string& table, const std::string& column,
                                 const std::vector<CellCondition>& where,
                                 const std::string& fallback) {
  const json& content = parsed(table);
  if (content.is_null()) return fallback;
  const std::optional<size_t> wanted = column_of(content, column);
  std::vector<std::string> texts;
  for (const json* row : rows_that_meet(content, where)) {
    const auto text = text_at(*row, wanted);
    if (text && texts.size() < kMostTexts && std::ranges::find(texts, *text) == texts.end())
      texts.push_back(*text);
  }
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + text;
  return out.empty() ? fallback : out;
}

std::optional<size_t> TableTexts::count(const std::string& table,
                                        const std::vector<CellCondition>& where) {
  const json& content = parsed(table);
  if (content.is_null()) return std::nullopt;
  return rows_that_meet(content, where).size();
}

}  // namespace plumb::diagnose
