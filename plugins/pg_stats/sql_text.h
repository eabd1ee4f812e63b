// Values written into SQL text.
#ifndef PLUMB_PLUGINS_PG_STATS_SQL_TEXT_H_
#define PLUMB_PLUGINS_PG_STATS_SQL_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace plumb::pg_stats {

namespace sql_text_detail {
inline std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}
}  // namespace sql_text_detail

// "name", as an identifier.
inline std::string quoted_identifier(std::string_view name) {
  return sql_text_detail::quoted(name, '"');
}

// 'text', as a string. Only for text from the server's catalog: a backslash is taken as it is.
inline std::string quoted_literal(std::string_view text) {
  return sql_text_detail::quoted(text, '\'');
}

// The inside of IN (...); for no values one that selects nothing.
inline std::string number_list(std::span<const int64_t> values) {
  std::string out;
  for (const int64_t v : values) {
    if (!out.empty()) out += ',';
    out += std::to_string(v);
  }
  return out.empty() ? "NULL" : out;
}

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SQL_TEXT_H_
