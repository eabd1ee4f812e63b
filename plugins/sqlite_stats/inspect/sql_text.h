// Just enough of SQL's grammar to say things about a statement without its literals: words, quoted
// names, literals, operators. SQLite itself parses the statement; this only reads what its query
// plan leaves out.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECT_SQL_TEXT_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECT_SQL_TEXT_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::sqlite_inspect {

struct Token {
  enum class Kind {
    kWord,       // keyword, name
    kQuoted,     // "name", `name`, [name]: or a string, in double quotes
    kLiteral,    // 'string', x'blob', number
    kParameter,  // ?, ?1, :name, @name, $name
    kOperator,
  };
  Kind kind;
  std::string text;   // of kQuoted: without the quotes
  size_t offset = 0;  // in the source
  size_t end = 0;

  bool is(const char* word) const;  // an unquoted word, whatever its case
  bool is_operator(const char* symbol) const { return kind == Kind::kOperator && text == symbol; }
  bool is_name() const { return kind == Kind::kWord || kind == Kind::kQuoted; }
};

// Comments and white space are left out; what is not closed ends with the text.
std::vector<Token> tokens_of(std::string_view sql);

// One statement of a text that may hold many.
struct Statement {
  std::string sql;
  std::vector<Token> tokens;
};
// At most `most`, empty ones left out.
std::vector<Statement> statements_of(std::string_view text, size_t most);

// The statement on one line, without comments, every literal a "?"; a word in double quotes stays
// only when `is_known` says that it is a name of the schema.
std::string without_literals(const std::vector<Token>& tokens,
                             const std::function<bool(const std::string&)>& is_known);

// What the statement calls its tables: name or alias, in lower case, to table name. `is_table` says
// which names are tables.
std::map<std::string, std::string> aliases_of(
    const std::vector<Token>& tokens, const std::function<bool(const std::string&)>& is_table);

// Columns that conditions (WHERE, ON) compare with something: first those tested for equality, then
// those for ranges. `is_column(qualifier, name)` says whether a name, with the table's name or
// alias before it or "", is a column of the table in question.
struct Conditions {
  std::vector<std::string> equal;
  std::vector<std::string> range;
  bool empty() const { return equal.empty() && range.empty(); }
};
Conditions conditions_of(
    const std::vector<Token>& tokens,
    const std::function<bool(const std::string& qualifier, const std::string& name)>& is_column);

std::string lower_case(std::string text);

}  // namespace plumb::sqlite_inspect

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECT_SQL_TEXT_H_
