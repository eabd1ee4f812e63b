// Small pictures of differences, beside the numbers that they show: hidden from screen readers.
#ifndef PLUMB_CORE_REPORT_SVG_DIFFERENCE_H_
#define PLUMB_CORE_REPORT_SVG_DIFFERENCE_H_

#include <string>
#include <string_view>

namespace plumb::report {

// The class of a verdict's colour: worse, better, or alike for everything else.
std::string_view difference_tone(std::string_view verdict);

// An interval with its estimate on a scale from -`reach` to `reach`, no change in the middle. What
// lies outside is cut off.
std::string interval_bar(double low, double value, double high, double reach,
                         std::string_view verdict);
// A bar from the middle to `value`, on the same scale.
std::string change_bar(double value, double reach, std::string_view verdict);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_SVG_DIFFERENCE_H_
