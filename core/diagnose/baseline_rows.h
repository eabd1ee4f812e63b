// What the matrix of a baseline's runs said, and is expected of a later run.
#ifndef PLUMB_CORE_DIAGNOSE_BASELINE_ROWS_H_
#define PLUMB_CORE_DIAGNOSE_BASELINE_ROWS_H_

#include <nlohmann/json.hpp>
#include <vector>

#include "core/diagnose/diagnosis.h"
#include "core/store/run_file.h"

namespace plumb::diagnose {

// The document under which a run file keeps it, so that the run is told the same way years later.
inline constexpr const char* kBaselineRows = "baseline_rows";

// Of the matrices of a baseline's runs. Where several have a row, the one whose cost is in the
// middle speaks.
nlohmann::json baseline_rows(const std::vector<std::vector<MatrixRow>>& matrices);

// What was is expected of the rows that no objective limits, where the run file keeps what the
// baseline had there. Their state stays the rule's: a limit may have been broken then, too.
void expect_baseline(const store::RunData& run, std::vector<MatrixRow>& matrix);

}  // namespace plumb::diagnose

#endif  // PLUMB_CORE_DIAGNOSE_BASELINE_ROWS_H_
