// Quantities as people write them in a plan, and back. All parsers take the whole text (blanks
// around it are not allowed) and give nothing for what is malformed, negative or too large.
#ifndef PLUMB_CORE_PLAN_QUANTITY_H_
#define PLUMB_CORE_PLAN_QUANTITY_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plumb::plan {

// 100ms, 5s, 1.5h, 1m30s; units ns us ms s m h. A bare 0 is fine, any other number needs a unit.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
// 200/s, 12000/min, 90/h; per second.
std::optional<double> parse_rate(std::string_view text);
// 4096, 64KiB, 10MB; bytes. Units B KB MB GB (powers of 1000), KiB MiB GiB (powers of 1024).
std::optional<int64_t> parse_size(std::string_view text);
// 0.1% or 0.001; 0 to 1.
std::optional<double> parse_ratio(std::string_view text);
std::optional<int64_t> parse_integer(std::string_view text);
// Finite, and may be negative.
std::optional<double> parse_number(std::string_view text);
// A quantity of any of these kinds, and which: "seconds", "bytes", "ratio", "/s", or "1" for a bare
// number.
struct Limit {
  double value = 0;
  std::string unit;
};
std::optional<Limit> parse_limit(std::string_view text);
// true false yes no on off.
std::optional<bool> parse_boolean(std::string_view text);

// The shortest exact form: 90s, 1500us, 2m.
std::string format_duration(std::chrono::nanoseconds value);
std::string format_rate(double per_second);
std::string format_size(int64_t bytes);
std::string format_ratio(double ratio);
// Without an exponent where that is short, and with no digits beyond the 15th.
std::string format_number(double value);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_QUANTITY_H_
