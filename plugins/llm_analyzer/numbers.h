// Numbers in prose, and whether facts bear them out. Pure functions.
#ifndef PLUMB_PLUGINS_LLM_ANALYZER_NUMBERS_H_
#define PLUMB_PLUGINS_LLM_ANALYZER_NUMBERS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::llm_analyzer {

// What a number in prose counts, as far as its unit says.
enum class Measure { kPlain, kTime, kBytes, kPercent };

struct Unit {
  Measure measure = Measure::kPlain;
  double scale = 1;        // to seconds, bytes, or ratio
  double other_scale = 1;  // "MB" may mean 10^6 or 2^20
};

struct WrittenNumber {
  std::string text;  // as written, without its unit
  double value = 0;
  double step = 1;  // what its last written digit is worth: the tolerance is half of it
  Unit unit;
  // Of a number without a unit that is closely followed by one with: "69 of 79 ms".
  std::optional<Unit> borrowed;
};

// A number that a claim may use.
struct KnownNumber {
  double value = 0;
  std::string unit;  // as facts have it: seconds, bytes, ratio, requests/s, 1, ...
};

// Every number written in `prose`, in digits (1,234.5  93%  12ms  1.2 s  3e-4  20k) or words
// ("two", "twenty-five", "three hundred"; not "one", which is rarely a number).
std::vector<WrittenNumber> find_numbers(std::string_view prose);

// True when `written` is one of `known`, rounded as it is written: 79.31 ms may be told as 79 ms,
// 79.3 ms or 0.0793 s; a ratio of 0.931 as 93%. Signs are ignored.
bool is_borne_out(const WrittenNumber& written, std::span<const KnownNumber> known);

// Digits other than 0-9 (full-width, superscript, Roman numeral signs, ...), which would slip past
// find_numbers.
bool has_foreign_digits(std::string_view prose);

// A number for people with its unit, at four significant digits: "79.3 ms", "93.1%", "1,234".
std::string show_number(double value, std::string_view unit);

}  // namespace plumb::llm_analyzer

#endif  // PLUMB_PLUGINS_LLM_ANALYZER_NUMBERS_H_
