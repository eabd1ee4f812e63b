// Any bytes as SQL: no crash, tokens in order and within the text, and no literal in what is told
// of a statement. A marker that stands only inside literals and comments must never come out.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/sqlite_stats/inspect/sql_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plumb::sqlite_inspect;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t at = 0;
  for (const Token& token : tokens_of(text)) {
    if (token.offset < at || token.end <= token.offset || token.end > size) __builtin_trap();
    at = token.end;
  }
  constexpr size_t kMost = 50;
  const auto statements = statements_of(text, kMost);
  if (statements.size() > kMost) __builtin_trap();
  const auto yes = [](const std::string&) { return true; };
  for (const Statement& statement : statements) {
    without_literals(statement.tokens, yes);
    aliases_of(statement.tokens, yes);
    conditions_of(statement.tokens, [](const std::string&, const std::string&) { return true; });
  }
  // As a string literal, the input's own quotes doubled.
  std::string quoted = "SELECT 'marker";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  quoted += "'";
  for (const Statement& statement : statements_of(quoted, kMost)) {
    if (without_literals(statement.tokens, yes) != "SELECT ?") __builtin_trap();
  }
  return 0;
}
