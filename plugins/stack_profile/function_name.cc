#include "plugins/stack_profile/function_name.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace plumb::stack_profile {

namespace {

constexpr size_t kMostFrameText = 240;
constexpr size_t kMostArguments = 24;   // bytes of a template's arguments that are still shown
constexpr size_t kMostQualifiers = 24;  // bytes between parameters and a further part of a name
constexpr size_t kMostSymbol = 2048;    // longer ones are not demangled: it takes too long
constexpr size_t kMostDemangled = 65536;

bool opens(char c) { return c == '(' || c == '<' || c == '[' || c == '{'; }
bool closes(char c) { return c == ')' || c == '>' || c == ']' || c == '}'; }

// `at` is behind "operator"; gives where the operator's own sign ends.
size_t skip_operator(std::string_view s, size_t at) {
  if (s.substr(at).starts_with("()") || s.substr(at).starts_with("[]")) return at + 2;
  while (at < s.size() &&
         std::string_view("<>=-!&|+*/%^~,").find(s[at]) != std::string_view::npos) {
    ++at;
  }
  return at;
}

bool is_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool operator_begins(std::string_view s, size_t at) {
  constexpr std::string_view kOperator = "operator";
  if (!s.substr(at).starts_with(kOperator)) return false;
  if (at > 0 && is_word(s[at - 1])) return false;
  const size_t behind = at + kOperator.size();
  return behind < s.size() && !is_word(s[behind]);
}

// Where the bracket that opens at `at` is closed; npos when it is not.
size_t closing(std::string_view s, size_t at) {
  int depth = 0;
  while (at < s.size()) {
    if (operator_begins(s, at)) {
      at = skip_operator(s, at + std::string_view("operator").size());
      continue;
    }
    if (s.substr(at).starts_with("->")) {
      at += 2;
      continue;
    }
    if (opens(s[at])) ++depth;
    if (closes(s[at]) && --depth == 0) return at;
    ++at;
  }
  return std::string_view::npos;
}

// UTF-8's length of the sequence that begins with `lead`; 0 for what begins none.
size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

bool valid_sequence(std::string_view s, size_t length) {
  if (length < 2 || s.size() < length) return false;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(s[i]) & 0xc0) != 0x80) return false;
  }
  const auto lead = static_cast<unsigned char>(s[0]);
  const auto second = static_cast<unsigned char>(s[1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second >= 0xa0;
  const bool beyond = lead == 0xf4 && second >= 0x90;
  const bool c1_control = lead == 0xc2 && second < 0xa0;
  return !overlong && !surrogate && !beyond && !c1_control;
}

}  // namespace

std::string demangle(const std::string& versioned) {
  // "pthread_mutex_lock@@GLIBC_2.2.5", as tables of debug files have it.
  const std::string symbol = versioned.substr(0, versioned.find('@', 1));
  const bool mangled = symbol.starts_with("_Z") || symbol.starts_with("__Z");
  if (!mangled || symbol.size() > kMostSymbol) return symbol;
  // A compiler's suffix, such as ".cold" or ".constprop.0", is no part of the mangling.
  const std::string name = symbol.substr(0, symbol.find('.'));
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || text == nullptr) return symbol;
  return shorten(std::string_view(text.get()).substr(0, kMostDemangled));
}

std::string shorten(std::string_view s) {
  std::string out;
  size_t at = 0;
  while (at < s.size()) {
    const std::string_view rest = s.substr(at);
    if (operator_begins(s, at)) {
      size_t end = skip_operator(s, at + std::string_view("operator").size());
      // "operator new", "operator bool": its name ends where its parameters begin.
      if (end < s.size() && s[end] == ' ') end = std::min(s.find_first_of("(<", end), s.size());
      out.append(s.substr(at, end - at));
      at = end;
      continue;
    }
    if (rest.starts_with("(anonymous namespace)")) {
      out += "(anonymous)";
      at += std::string_view("(anonymous namespace)").size();
      continue;
    }
    const char c = s[at];
    if (c == '(' || c == '<' || c == '{' || c == '[') {
      const size_t end = closing(s, at);
      if (end == std::string_view::npos) break;
      if (c == '<') {
        const bool brief = end - at <= kMostArguments;
        out.append(brief ? s.substr(at, end - at + 1) : std::string_view("<>"));
      } else if (c == '{') {
        out += rest.starts_with("{lambda") ? "{lambda}" : std::string(s.substr(at, end - at + 1));
      }
      at = end + 1;
      if (c != '(') continue;
      // " const", "&" and the like, then perhaps a further part of the name.
      const size_t next = s.find("::", at);
      if (next == std::string_view::npos || next - at > kMostQualifiers) break;
      at = next;
      continue;
    }
    if (c == ' ') {
      // What came before was the type of the result.
      out.clear();
      ++at;
      continue;
    }
    out.push_back(c);
    ++at;
  }
  return out.empty() ? std::string(s) : out;
}

std::string frame_text(std::string_view name) {
  std::string out;
  size_t at = 0;
  while (at < name.size() && out.size() < kMostFrameText) {
    const auto c = static_cast<unsigned char>(name[at]);
    const size_t length = sequence_length(c);
    if (length == 1) {
      const bool control = c < 0x20 || c == 0x7f;
      out.push_back(control ? '?' : c == ';' ? ':' : static_cast<char>(c));
      ++at;
    } else if (valid_sequence(name.substr(at), length)) {
      out.append(name.substr(at, length));
      at += length;
    } else {
      out.push_back('?');
      ++at;
    }
  }
  return out.empty() ? "?" : out;
}

}  // namespace plumb::stack_profile
