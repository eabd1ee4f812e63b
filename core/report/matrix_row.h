// How a row of the matrix is told.
#ifndef PLUMB_CORE_REPORT_MATRIX_ROW_H_
#define PLUMB_CORE_REPORT_MATRIX_ROW_H_

#include <nlohmann/json.hpp>
#include <string>

namespace plumb::report {

// bottleneck, exceeded, ok or unknown; reports of before states were kept only know bottlenecks.
std::string row_state(const nlohmann::json& row);
// The answer in the column "Bottleneck?": YES, exceeded, no, unknown.
std::string row_answer(const nlohmann::json& row);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_MATRIX_ROW_H_
