#include "plugins/http_load/pattern_instance.h"

#include <algorithm>

namespace plumb::http_load {
namespace {

constexpr size_t kMostRepeats = 64;

// What one place of a pattern allows, as a list of characters.
using Choice = std::string;

Choice range_of(char from, char to) {
  Choice out;
  for (int c = static_cast<unsigned char>(from); c <= static_cast<unsigned char>(to); ++c)
    out += static_cast<char>(c);
  return out;
}

Choice class_of_letter(char c) {
  switch (c) {
    case 'd':
      return "0123456789";
    case 'w':
      return range_of('a', 'z') + "0123456789_";
    case 's':
      return " ";
    case 'n':
      return "\n";
    case 't':
      return "\t";
    default:
      return Choice(1, c);
  }
}

bool is_unsupported_escape(char c) {
  return std::string_view("DWSbBpPukxc").find(c) != std::string_view::npos;
}

// Reads a pattern from left to right; every step is false where the pattern is not a simple one.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : rest_(pattern) {
    if (rest_.starts_with('^')) rest_.remove_prefix(1);
    if (rest_.ends_with('$') && !rest_.ends_with("\\$")) rest_.remove_suffix(1);
  }
  bool at_end() const { return rest_.empty(); }

  bool choice(Choice& out) {
    const char c = take();
    if (c == '[') return set(out);
    if (c == '\\') return escape(out);
    if (std::string_view("()|*+?{}^$]").find(c) != std::string_view::npos) return false;
    out = c == '.' ? range_of('a', 'z') : Choice(1, c);
    return true;
  }

  // As few as are allowed, but one where none would do.
  bool repeats(size_t& out) {
    out = 1;
    if (rest_.empty()) return true;
    if (rest_.front() == '{') return counted(out);
    if (rest_.front() == '*' || rest_.front() == '+' || rest_.front() == '?') take();
    if (rest_.starts_with('?')) take();
    return true;
  }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  bool escape(Choice& out) {
    if (rest_.empty() || is_unsupported_escape(rest_.front())) return false;
    out = class_of_letter(take());
    return true;
  }

  bool set(Choice& out) {
    if (rest_.starts_with('^')) return false;
    out.clear();
    while (!rest_.empty() && rest_.front() != ']') {
      Choice one;
      const char c = take();
      if (c == '\\') {
        if (!escape(one)) return false;
      } else {
        one = Choice(1, c);
      }
      if (one.size() == 1 && rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']') {
        take();
        const char to = take();
        if (to == '\\' || to < one[0]) return false;
        one = range_of(one[0], to);
      }
      out += one;
    }
    if (rest_.empty() || out.empty()) return false;
    take();
    return true;
  }

  bool counted(size_t& out) {
    const size_t end = rest_.find('}');
    if (end == std::string_view::npos) return false;
    size_t least = 0, digits = 0;
    for (const char c : rest_.substr(1, end - 1)) {
      if (c < '0' || c > '9') break;
      least = std::min(least * 10 + static_cast<size_t>(c - '0'), kMostRepeats + 1);
      ++digits;
    }
    const bool is_exact = digits == end - 1;
    const bool is_range = digits < end - 1 && rest_[digits + 1] == ',';
    if (digits == 0 || !(is_exact || is_range) || least > kMostRepeats) return false;
    rest_.remove_prefix(end + 1);
    if (rest_.starts_with('?')) take();
    out = least;
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::string> pattern_instance(std::string_view pattern, Random& random) {
  PatternReader reader(pattern);
  std::string out;
  while (!reader.at_end()) {
    Choice choice;
    size_t repeats = 1;
    if (!reader.choice(choice) || !reader.repeats(repeats)) return std::nullopt;
    for (; repeats > 0; --repeats) out += choice[random.next() % choice.size()];
    if (out.size() > 4'096) return std::nullopt;
  }
  return out;
}

}  // namespace plumb::http_load
