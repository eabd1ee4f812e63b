#include "core/report/matrix_row.h"

#include "core/report/json_read.h"

namespace plumb::report {

std::string row_state(const nlohmann::json& row) {
  if (flag(row, "bottleneck")) return "bottleneck";
  const std::string state = text(row, "state");
  return state == "exceeded" || state == "unknown" ? state : "ok";
}

std::string row_answer(const nlohmann::json& row) {
  const std::string state = row_state(row);
  if (state == "bottleneck") return "YES";
  return state == "ok" ? "no" : state;
}

}  // namespace plumb::report
