#include "plugins/pg_stats/plan_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "plugins/pg_stats/statement_text.h"

namespace plumb::pg_stats {
namespace {

using nlohmann::json;

constexpr size_t kMostJson = 1 << 20;
constexpr size_t kLongestStatement = 100'000;
constexpr int kDeepest = 60;
constexpr size_t kMostNodes = 200;
constexpr size_t kNameCharacters = 130;
constexpr size_t kExpressionCharacters = 300;
constexpr size_t kMostText = 4000;

// Keys whose values are expressions over columns.
constexpr const char* kExpressions[] = {"Index Cond",      "Recheck Cond", "TID Cond", "Hash Cond",
                                        "Merge Cond",      "Join Filter",  "Filter",   "Order By",
                                        "One-Time Filter", "Sort Key",     "Group Key"};

// A name without the control characters that would break the text's lines.
std::string name_at(const json& node, const char* key) {
  const auto at = node.find(key);
  if (at == node.end() || !at->is_string()) return {};
  std::string out;
  for (const char c : at->get_ref<const std::string&>())
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return cut_text(out, kNameCharacters);
}

double number_at(const json& node, const char* key) {
  const auto at = node.find(key);
  if (at == node.end() || !at->is_number()) return 0;
  const double value = at->get<double>();
  return std::isfinite(value) ? value : 0;
}

// One expression, or a list of them.
std::string expression_text(const json& value) {
  if (value.is_string())
    return cut_text(redact_statement(value.get_ref<const std::string&>()), kExpressionCharacters);
  std::string out;
  if (!value.is_array()) return out;
  for (const json& part : value) {
    if (!part.is_string()) continue;
    if (!out.empty()) out += ", ";
    out += redact_statement(part.get_ref<const std::string&>());
    if (out.size() > kExpressionCharacters) break;
  }
  return cut_text(out, kExpressionCharacters);
}

class PlanWalk {
 public:
  PlanSummary take() && { return std::move(out_); }

  void add(const json& node, int depth) {
    if (!node.is_object() || depth > kDeepest || ++nodes_ > kMostNodes) return;
    const std::string type = name_at(node, "Node Type");
    std::string relation = name_at(node, "Relation Name");
    if (const std::string schema = name_at(node, "Schema"); !relation.empty() && !schema.empty())
      relation = schema + "." + relation;
    if (type == "Seq Scan" && !relation.empty()) out_.seq_scanned.insert(relation);
    add_line(node, type, relation, depth);
    for (const char* key : kExpressions)
      if (const auto at = node.find(key); at != node.end())
        if (const std::string text = expression_text(*at); !text.empty())
          append(std::string(static_cast<size_t>(depth) * 2 + 4, ' ') + key + ": " + text + "\n");
    if (const auto plans = node.find("Plans"); plans != node.end() && plans->is_array())
      for (const json& plan : *plans) add(plan, depth + 1);
  }

 private:
  void add_line(const json& node, const std::string& type, const std::string& relation, int depth) {
    std::string line(static_cast<size_t>(depth) * 2, ' ');
    if (const auto at = node.find("Parallel Aware"); at != node.end() && *at == true)
      line += "Parallel ";
    line += type.empty() ? "(unnamed)" : type;
    if (const std::string index = name_at(node, "Index Name"); !index.empty())
      line += " using " + index;
    if (!relation.empty()) line += " on " + relation;
    char numbers[64];
    std::snprintf(numbers, sizeof(numbers), "  (cost=%.0f rows=%.0f)",
                  number_at(node, "Total Cost"), number_at(node, "Plan Rows"));
    append(line + numbers + "\n");
  }

  void append(const std::string& line) {
    if (out_.text.size() + line.size() <= kMostText) out_.text += line;
  }

  PlanSummary out_;
  size_t nodes_ = 0;
};

}  // namespace

bool may_be_planned(std::string_view sql) {
  const std::string text = redact_statement(sql.substr(0, kLongestStatement));
  size_t at = 0;
  while (at < text.size() && (text[at] == '(' || text[at] == ' ')) ++at;
  std::string word;
  for (; at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0; ++at)
    word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[at])));
  const bool known = word == "select" || word == "with" || word == "update" || word == "delete";
  return known && sql.size() <= kLongestStatement;
}

Result<PlanSummary> summarise_plan(std::string_view text) {
  if (text.size() > kMostJson) return Status::invalid_argument("the plan is too long");
  const json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_array() || parsed.empty() || !parsed[0].is_object())
    return Status::invalid_argument("the plan is no JSON of EXPLAIN");
  const auto plan = parsed[0].find("Plan");
  if (plan == parsed[0].end() || !plan->is_object())
    return Status::invalid_argument("the plan has no Plan");
  PlanWalk summary;
  summary.add(*plan, 0);
  PlanSummary out = std::move(summary).take();
  out.cost = std::max(0.0, number_at(*plan, "Total Cost"));
  return out;
}

}  // namespace plumb::pg_stats
