// The parts that every page of plumb tells alike: its verdict, the colour of a layer.
#ifndef PLUMB_CORE_REPORT_HTML_VERDICT_H_
#define PLUMB_CORE_REPORT_HTML_VERDICT_H_

#include <string>

namespace plumb::report {

// Opens the verdict's box, with its label and its conclusion (plain text); the caller closes it
// with </div>.
std::string verdict_head(const std::string& label, const std::string& conclusion);
// The name of a layer behind a swatch of its colour.
std::string layer_cell(const std::string& layer);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_HTML_VERDICT_H_
