// What the console and the page say alike of a comparison of two profiles.
#ifndef PLUMB_CORE_REPORT_DIFFERENCE_TEXT_H_
#define PLUMB_CORE_REPORT_DIFFERENCE_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>

namespace plumb::report {

// A weight that has been scaled: "0.81 ms" of each request, "12.3%" of a second or of the whole.
std::string scaled_text(const nlohmann::json& difference, double weight);
// "of each request", "of each second", "of its profile".
std::string basis_text(const nlohmann::json& difference);
// "+2.1%", "-0.4%".
std::string change_text(double change);
// The scale of the run ("run") or of its base ("base"); 1 where the document has none.
double scale_in(const nlohmann::json& difference, const char* side);
// "on_cpu takes 0.95 ms of each request in run A and 0.81 ms in its base B: 15% less." Plain text.
std::string difference_sentence(const nlohmann::json& difference);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_DIFFERENCE_TEXT_H_
