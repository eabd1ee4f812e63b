// report.json and what is made of it. Every renderer reads report.json and nothing else, so a
// report looks the same from a live run, an old file or the API.
#ifndef PLUMB_CORE_REPORT_REPORT_H_
#define PLUMB_CORE_REPORT_REPORT_H_

#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>

#include "core/store/run_file.h"

namespace plumb::report {

inline constexpr int kSchemaVersion = 1;

// Facts, diagnosis and series of a run as report.json (docs/report.schema.json).
Result<nlohmann::json> build(const store::RunData& run);

struct ConsoleOptions {
  bool color = false;
  int width = 100;               // columns
  std::string report_path = {};  // of the HTML file, named in the last line; empty: not named
};
// One screen: verdict, ledger, matrix, what to do.
std::string to_console(const nlohmann::json& report, const ConsoleOptions& options);
std::string to_markdown(const nlohmann::json& report);
// One self-contained page: no network, no external file, strict CSP.
std::string to_html(const nlohmann::json& report);
// The facts, one row each.
std::string to_csv(const nlohmann::json& report);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_REPORT_H_
