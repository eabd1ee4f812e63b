// What a run is held against: other runs, or a baseline.
#ifndef PLUMB_CORE_SESSION_BASE_H_
#define PLUMB_CORE_SESSION_BASE_H_

#include <filesystem>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/compare/comparison.h"

namespace plumb::session {

struct Base {
  std::vector<std::filesystem::path> files;
  std::string baseline = {};  // its name, or empty
};

// The baseline of that name of a plan. INVALID_ARGUMENT for what is no name, NOT_FOUND when there
// is none.
Result<Base> find_baseline(const std::filesystem::path& run_dir, const std::string& plan,
                           const std::string& name);

// What the base's runs had in the matrix by these rules (core/diagnose/baseline_rows.h).
Result<nlohmann::json> matrix_of_base(const Base& base, const nlohmann::json& rules);

// The document (core/report/comparison.h). INVALID_ARGUMENT when a run stands twice among
// them or they are not alike, UNAVAILABLE when a run file cannot be read.
Result<nlohmann::json> compare_files(const Base& base, const std::filesystem::path& run,
                                     const compare::CompareOptions& options);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_BASE_H_
