// How comparisons are written, for the commands that make them.
#ifndef PLUMB_CORE_CLI_COMPARING_H_
#define PLUMB_CORE_CLI_COMPARING_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/cli/terminal.h"

namespace plumb::cli {

// console, json, md, html.
const std::vector<std::string>& comparison_formats();

std::string format_comparison(const nlohmann::json& comparison, const std::string& format,
                              const Terminal& terminal);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_COMPARING_H_
