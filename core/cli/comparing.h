// Comparisons of kept runs, for the commands that make them.
#ifndef PLUMB_CORE_CLI_COMPARING_H_
#define PLUMB_CORE_CLI_COMPARING_H_

#include <filesystem>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/cli/terminal.h"
#include "core/compare/comparison.h"

namespace plumb::cli {

// console, json, md, html.
const std::vector<std::string>& comparison_formats();

// What a run is held against.
struct Base {
  std::vector<std::filesystem::path> files;
  std::string baseline = {};  // its name, or empty
};

// The baseline of that name of a plan. INVALID_ARGUMENT for what is no name, NOT_FOUND when there
// is none.
Result<Base> find_baseline(const std::filesystem::path& run_dir, const std::string& plan,
                           const std::string& name);

// The document (core/report/comparison.h).
Result<nlohmann::json> compare_files(const Base& base, const std::filesystem::path& run,
                                     const compare::CompareOptions& options);

std::string format_comparison(const nlohmann::json& comparison, const std::string& format,
                              const Terminal& terminal);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_COMPARING_H_
