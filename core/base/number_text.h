// How numbers are told to people: sensible digits, with their unit.
#ifndef PLUMB_CORE_BASE_NUMBER_TEXT_H_
#define PLUMB_CORE_BASE_NUMBER_TEXT_H_

#include <string>
#include <string_view>

namespace plumb {

// 6054 -> "6,054"; 12.345 with 1 decimal -> "12.3".
std::string grouped(double value, int decimals = 0);
// Seconds as a person reads them: "0.12 ms", "79.3 ms", "1.25 s", "3 min 20 s".
std::string seconds_text(double seconds);
// Milliseconds, for columns: one decimal, two below 0.1.
std::string milliseconds_text(double ms);
// 0.934 -> "93%", 0.0042 -> "0.42%".
std::string ratio_text(double ratio);
// "512 B", "1.2 KiB", "3.4 GiB".
std::string bytes_text(double bytes);
// The same inside a sentence that names what is counted: quantities with a unit of their own as
// above, counts as a bare number, whole when they are within one percent of it.
std::string told_value(double value, std::string_view unit);
// By unit as facts carry it: seconds, bytes, ratio, requests/s, seconds/s, anything else as a
// plain number with the unit behind it ("1" and "" have none).
std::string value_text(double value, std::string_view unit);

}  // namespace plumb

#endif  // PLUMB_CORE_BASE_NUMBER_TEXT_H_
