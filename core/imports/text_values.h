// Values as tools write them.
#ifndef PLUMB_CORE_IMPORTS_TEXT_VALUES_H_
#define PLUMB_CORE_IMPORTS_TEXT_VALUES_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace plumb::imports {

inline constexpr int64_t kSecondNs = 1'000'000'000;

std::string_view trimmed(std::string_view text);

// The whole text as a finite number.
std::optional<double> parse_finite(std::string_view text);
// The whole text as a whole number of zero or more.
std::optional<uint64_t> parse_count(std::string_view text);

// Nanoseconds of the epoch, from 1970 to 2200. Understood are RFC 3339 (a time without an offset
// is UTC), the common log format (21/Nov/2026:13:38:59 +0000), and a number: seconds, milli-,
// micro- or nanoseconds, told apart by how large it is.
std::optional<int64_t> parse_time(std::string_view text);

// A length of time: zero or more and at most a day, in units of `unit_ns`.
std::optional<int64_t> duration_ns(double value, double unit_ns);
// With its unit behind it, as Go and C tools write: 12.3ms, 133us, 1.2s, 2m, 1m30s, 0. Nothing
// without a unit, except for 0.
std::optional<int64_t> parse_duration_text(std::string_view text);
// Nanoseconds in ns, us, µs, ms, s, m, h; also seconds, milliseconds and so on.
std::optional<double> unit_ns(std::string_view unit);

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_TEXT_VALUES_H_
