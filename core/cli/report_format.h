// report.json in the forms that a user may ask for.
#ifndef PLUMB_CORE_CLI_REPORT_FORMAT_H_
#define PLUMB_CORE_CLI_REPORT_FORMAT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/cli/terminal.h"

namespace plumb::cli {

// console, json, md, html, csv.
const std::vector<std::string>& report_formats();

// `html_file` is named in the console report; empty: it is not.
std::string format_report(const nlohmann::json& report, const std::string& format,
                          const Terminal& terminal, const std::string& html_file);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_REPORT_FORMAT_H_
