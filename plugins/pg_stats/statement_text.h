// SQL text made fit to be shown: without its literals, on one line, cut to a length.
#ifndef PLUMB_PLUGINS_PG_STATS_STATEMENT_TEXT_H_
#define PLUMB_PLUGINS_PG_STATS_STATEMENT_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace plumb::pg_stats {

inline constexpr size_t kLabelCharacters = 120;
inline constexpr size_t kTableCharacters = 500;

// Replaces quoted strings (with their escapes, dollar quoting included) and numbers by "?", drops
// comments, and collapses white space. Of a setting only the name stays. Parameters ($1) and
// identifiers stay. A literal that the server cut off in its middle goes too. Never fails: what is
// no SQL comes out as words. `plain_strings_escape`: standard_conforming_strings is off, so that a
// backslash escapes inside plain strings, too.
std::string redact_statement(std::string_view sql, bool plain_strings_escape = false);

// At most `characters` characters (code points) of `text`, the last one "…" when something was
// left out. Bytes that are no UTF-8 become "?".
std::string cut_text(std::string_view text, size_t characters);

// A query id as people and labels carry it: unsigned hexadecimal. "" for 0, which is no id.
std::string query_id_text(int64_t query_id);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_STATEMENT_TEXT_H_
