// The metrics that shifted, as text.
#ifndef PLUMB_CORE_CLI_SHIFT_TEXT_H_
#define PLUMB_CORE_CLI_SHIFT_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "core/imports/shift.h"

namespace plumb::cli {

struct ShiftTextOptions {
  std::string file;
  std::string format = "console";  // console, json, csv, md
  size_t top = 20;                 // of json and csv too
};

const std::vector<std::string>& shift_formats();

std::string shift_text(const imports::ShiftReport& report, const imports::MetricTable& table,
                       const imports::TimeSpan& normal, const imports::TimeSpan& abnormal,
                       const ShiftTextOptions& options);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_SHIFT_TEXT_H_
