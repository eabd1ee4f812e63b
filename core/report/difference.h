// Two runs' profiles compared, as a document and as what people read. As with reports, everything
// but folded text is made from the document.
#ifndef PLUMB_CORE_REPORT_DIFFERENCE_H_
#define PLUMB_CORE_REPORT_DIFFERENCE_H_

#include <nlohmann/json.hpp>
#include <string>

#include "core/profile/difference.h"
#include "core/report/report.h"

namespace plumb::report {

inline constexpr int kDifferenceVersion = 1;

// docs/report.md describes it.
nlohmann::json difference_json(const profile::Difference& difference);

// The functions that gained and lost most.
std::string difference_to_console(const nlohmann::json& difference, const ConsoleOptions& options);
// A differential flame graph on a page of its own, with the same.
std::string difference_to_html(const nlohmann::json& difference);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_DIFFERENCE_H_
