#include "core/diagnose/baseline_rows.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

namespace plumb::diagnose {
namespace {

using nlohmann::json;

bool is_text(const json& row, const char* key) { return row.contains(key) && row[key].is_string(); }

// Ports and sizes of pools stand in names, and may have changed since.
bool is_of(const json& kept, const MatrixRow& row) {
  return kept["test"] == row.test &&
         (kept["component"] == row.component || kept["metric"] == row.metric);
}

bool is_limited_by_objective(const MatrixRow& row) {
  return row.test == "slo" || !row.fact.empty();
}

}  // namespace

json baseline_rows(const std::vector<std::vector<MatrixRow>>& matrices) {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::map<Key, std::vector<const MatrixRow*>> found;
  for (const std::vector<MatrixRow>& matrix : matrices)
    for (const MatrixRow& row : matrix)
      if (row.state != RowState::kUnknown)
        found[{row.test, row.component, row.metric}].push_back(&row);
  json out = json::array();
  for (auto& [key, rows] : found) {
    const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
    std::nth_element(rows.begin(), middle, rows.end(), [](const MatrixRow* a, const MatrixRow* b) {
      return a->cost_ms.value_or(0) < b->cost_ms.value_or(0);
    });
    const MatrixRow& row = **middle;
    out.push_back({{"test", row.test},
                   {"component", row.component},
                   {"metric", row.metric},
                   {"actual", row.actual}});
  }
  return out;
}

void expect_baseline(const store::RunData& run, std::vector<MatrixRow>& matrix) {
  const auto kept = run.documents.find(kBaselineRows);
  if (kept == run.documents.end() || !kept->second.is_array()) return;
  for (MatrixRow& row : matrix) {
    if (is_limited_by_objective(row)) continue;
    const auto was = std::find_if(kept->second.begin(), kept->second.end(), [&](const json& one) {
      return one.is_object() && is_text(one, "test") && is_text(one, "component") &&
             is_text(one, "metric") && is_text(one, "actual") && is_of(one, row);
    });
    if (was == kept->second.end()) continue;
    row.expected = "was " + (*was)["actual"].get<std::string>();
  }
}

}  // namespace plumb::diagnose
