// Any bytes as SQL, and any bytes as a literal inside SQL: no crash, no quoted string left over,
// and nothing of a literal in what comes out.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/pg_stats/statement_text.h"
#include "plugins/pg_stats/suspects.h"

namespace {

using plumb::pg_stats::redact_statement;

// A single quote may stand inside a quoted identifier only.
void check_no_string_is_left(std::string_view text) {
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == '\'' && !quoted) __builtin_trap();
  }
}

std::string quoted(std::string_view content, bool backslash_escapes) {
  std::string out = "'";
  for (const char c : content) {
    if (c == '\'' || (c == '\\' && backslash_escapes)) out += c;
    out += c;
  }
  return out + "'";
}

void check_literal_is_gone(const std::string& literal, bool plain_strings_escape) {
  if (redact_statement("SELECT " + literal + ", b FROM t", plain_strings_escape) !=
      "SELECT ?, b FROM t")
    __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool escape : {false, true}) {
    const std::string redacted = redact_statement(text, escape);
    if (redacted.size() > text.size() + 1) __builtin_trap();
    check_no_string_is_left(redacted);
  }
  (void)plumb::pg_stats::names_in_statement(text);
  for (const size_t most : {size_t{1}, size_t{10}, size_t{500}})
    (void)plumb::pg_stats::cut_text(text, most);

  check_literal_is_gone(quoted(text, false), false);
  check_literal_is_gone(quoted(text, true), true);
  check_literal_is_gone("E" + quoted(text, true), false);
  check_literal_is_gone("'a'\n" + quoted(text, false), false);
  check_literal_is_gone("e'a' -- it's\n" + quoted(text, true), false);
  if (text.find('$') == std::string_view::npos)
    check_literal_is_gone("$x$" + std::string(text) + "$x$", false);
  return 0;
}
