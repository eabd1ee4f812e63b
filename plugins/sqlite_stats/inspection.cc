#include "inspection.h"

#include <algorithm>
#include <utility>

namespace plumb::sqlite_stats {
namespace {

using nlohmann::json;

constexpr size_t kMostEntries = 1000;
constexpr size_t kMostListed = 64;
constexpr size_t kMostName = 256;
constexpr size_t kMostText = 1000;
constexpr int kFormat = 1;

// Members of an object that may be of any type, or not be there.
const json& member(const json& object, const char* key) {
  static const json none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text_of(const json& value, size_t most) {
  if (!value.is_string()) return {};
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() <= most) return text;
  return text.substr(0, most) + "...";
}

std::optional<uint64_t> number_of(const json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<uint64_t>();
}

std::vector<std::string> texts_of(const json& value, size_t most) {
  std::vector<std::string> out;
  if (!value.is_array()) return out;
  for (const json& item : value) {
    if (out.size() == kMostListed) break;
    if (item.is_string()) out.push_back(text_of(item, most));
  }
  return out;
}

// Calls `take` with each object of an array, up to kMostEntries.
template <typename Take>
void each(const json& value, Take take) {
  if (!value.is_array()) return;
  size_t count = 0;
  for (const json& item : value) {
    if (count == kMostEntries) return;
    if (!item.is_object()) continue;
    ++count;
    take(item);
  }
}

InspectedTable table_of(const json& value) {
  InspectedTable table;
  table.name = text_of(member(value, "name"), kMostName);
  table.rows = number_of(member(value, "rows"));
  table.rows_from = text_of(member(value, "rows_from"), kMostName);
  table.bytes = number_of(member(value, "bytes"));
  table.notes = texts_of(member(value, "notes"), kMostText);
  each(member(value, "indexes"), [&table](const json& item) {
    InspectedIndex index;
    index.name = text_of(member(item, "name"), kMostName);
    index.columns = texts_of(member(item, "columns"), kMostName);
    index.unique = member(item, "unique") == true;
    index.bytes = number_of(member(item, "bytes"));
    index.notes = texts_of(member(item, "notes"), kMostText);
    if (table.indexes.size() < kMostListed) table.indexes.push_back(std::move(index));
  });
  return table;
}

InspectedStatement statement_of(const json& value) {
  InspectedStatement statement;
  statement.number = number_of(member(value, "number")).value_or(0);
  statement.text = text_of(member(value, "text"), kMostText);
  statement.plan = texts_of(member(value, "plan"), kMostText);
  statement.findings = texts_of(member(value, "findings"), kMostText);
  return statement;
}

std::string joined_texts(const std::vector<std::string>& texts, const char* between) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : between) + text;
  return out;
}

json or_null(const std::optional<uint64_t>& number) { return number ? json(*number) : json(); }

}  // namespace

Result<Inspection> parse_inspection(std::string_view text) {
  const auto bad = [](const char* why) {
    return Status::invalid_argument(std::string("plumb-sqlite-inspect printed ") + why);
  };
  if (text.size() > kMostInspectionBytes) return bad("more than 1 MiB");
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object()) return bad("what is no JSON object");
  if (member(document, "format") != kFormat)
    return bad("a format that this plumb does not know: install both of one version");
  Inspection out;
  out.refused = text_of(member(document, "refused"), kMostText);
  out.notes = texts_of(member(document, "notes"), kMostText);
  each(member(document, "tables"),
       [&out](const json& item) { out.tables.push_back(table_of(item)); });
  each(member(document, "statements"),
       [&out](const json& item) { out.statements.push_back(statement_of(item)); });
  return out;
}

void Inspection::add_table_rows(const std::string& database, json& rows) const {
  for (const InspectedTable& table : tables) {
    std::vector<std::string> indexes;
    std::vector<std::string> remarks = table.notes;
    std::optional<uint64_t> index_bytes;
    for (const InspectedIndex& index : table.indexes) {
      indexes.push_back((index.unique ? "unique " : "") + index.name + "(" +
                        joined_texts(index.columns, ", ") + ")");
      if (index.bytes) index_bytes = index_bytes.value_or(0) + *index.bytes;
      for (const std::string& note : index.notes)
        remarks.push_back("index " + index.name + ": " + note);
    }
    rows.push_back({database, table.name, or_null(table.rows), table.rows_from,
                    or_null(table.bytes), joined_texts(indexes, "; "), or_null(index_bytes),
                    joined_texts(remarks, "; ")});
  }
}

void Inspection::add_plan_rows(const std::string& database, json& rows) const {
  for (const InspectedStatement& statement : statements) {
    rows.push_back({database, statement.number, statement.text, joined_texts(statement.plan, "; "),
                    joined_texts(statement.findings, "; ")});
  }
}

}  // namespace plumb::sqlite_stats
