#include "sql_text.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace plumb::sqlite_inspect {
namespace {

using Kind = Token::Kind;

bool is_word_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_part(char c) { return is_word_start(c) || is_digit(c) || c == '$'; }

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  std::vector<Token> run() {
    while (skip_blanks()) {
      const size_t begin = at_;
      Token token = next();
      token.offset = begin;
      token.end = at_;
      out_.push_back(std::move(token));
    }
    return std::move(out_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  // False at the end.
  bool skip_blanks() {
    while (at_ < sql_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek())) != 0 || peek() == '\0') {
        ++at_;
      } else if (peek() == '-' && peek(1) == '-') {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (peek() == '/' && peek(1) == '*') {
        const size_t end = sql_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? sql_.size() : end + 2;
      } else {
        return true;
      }
    }
    return false;
  }

  Token next() {
    const char c = peek();
    if (c == '\'') return {Kind::kLiteral, delimited('\'')};
    if ((c == 'x' || c == 'X') && peek(1) == '\'') {
      ++at_;
      return {Kind::kLiteral, delimited('\'')};
    }
    if (c == '"' || c == '`') return {Kind::kQuoted, delimited(c)};
    if (c == '[') return {Kind::kQuoted, delimited(']')};
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return {Kind::kLiteral, number()};
    if (c == '?' || ((c == ':' || c == '@' || c == '$' || c == '#') && is_word_part(peek(1)))) {
      const size_t begin = at_++;
      while (is_word_part(peek())) ++at_;
      return {Kind::kParameter, std::string(sql_.substr(begin, at_ - begin))};
    }
    if (is_word_start(c)) {
      const size_t begin = at_;
      while (is_word_part(peek())) ++at_;
      return {Kind::kWord, std::string(sql_.substr(begin, at_ - begin))};
    }
    return {Kind::kOperator, symbol()};
  }

  // From the opening character to the closing one, which is written twice to stand for itself.
  std::string delimited(char close) {
    std::string text;
    for (++at_; at_ < sql_.size(); ++at_) {
      if (peek() == close) {
        if (close == ']' || peek(1) != close) {
          ++at_;
          break;
        }
        ++at_;
      }
      text += peek();
    }
    return text;
  }

  std::string number() {
    const size_t begin = at_;
    while (is_word_part(peek()) || peek() == '.' ||
           ((peek() == '+' || peek() == '-') && (sql_[at_ - 1] == 'e' || sql_[at_ - 1] == 'E')))
      ++at_;
    return std::string(sql_.substr(begin, at_ - begin));
  }

  std::string symbol() {
    constexpr std::array kPairs = {"<=", ">=", "<>", "!=", "==", "||", "<<", ">>", "->"};
    const std::string_view pair = sql_.substr(at_, 2);
    const bool is_pair = std::find(kPairs.begin(), kPairs.end(), pair) != kPairs.end();
    std::string text(sql_.substr(at_, is_pair ? 2 : 1));
    at_ += text.size();
    return text;
  }

  std::string_view sql_;
  size_t at_ = 0;
  std::vector<Token> out_;
};

bool is_one_of(const Token& token, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* w) { return token.is(w); });
}

// Words that can follow a table's name and are no alias of it.
bool ends_table(const Token& token) {
  return is_one_of(token,
                   {"WHERE",  "ON",      "USING",  "JOIN",      "LEFT",   "RIGHT",     "FULL",
                    "INNER",  "CROSS",   "OUTER",  "NATURAL",   "GROUP",  "ORDER",     "LIMIT",
                    "SET",    "VALUES",  "SELECT", "UNION",     "EXCEPT", "INTERSECT", "HAVING",
                    "WINDOW", "INDEXED", "NOT",    "RETURNING", "DEFAULT"});
}

bool ends_conditions(const Token& token) {
  return is_one_of(token, {"GROUP", "ORDER", "LIMIT", "HAVING", "WINDOW", "UNION", "EXCEPT",
                           "INTERSECT", "RETURNING", "SELECT", "FROM", "SET", "VALUES"});
}

enum class Test { kNone, kEqual, kRange };

Test test_of(const Token& token) {
  if (token.is_operator("=") || token.is_operator("==") || is_one_of(token, {"IN", "IS"}))
    return Test::kEqual;
  if (token.is_operator("<") || token.is_operator(">") || token.is_operator("<=") ||
      token.is_operator(">=") || token.is("BETWEEN"))
    return Test::kRange;
  return Test::kNone;
}

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

bool Token::is(const char* word) const {
  return kind == Kind::kWord && ::strcasecmp(text.c_str(), word) == 0;
}

std::vector<Token> tokens_of(std::string_view sql) { return Lexer(sql).run(); }

std::vector<Statement> statements_of(std::string_view text, size_t most) {
  std::vector<Statement> out;
  Statement statement;
  const auto finish = [&] {
    if (statement.tokens.empty()) return;
    const size_t begin = statement.tokens.front().offset;
    statement.sql = std::string(text.substr(begin, statement.tokens.back().end - begin));
    out.push_back(std::exchange(statement, {}));
  };
  for (Token& token : tokens_of(text)) {
    if (out.size() == most) return out;
    if (token.is_operator(";")) {
      finish();
    } else {
      statement.tokens.push_back(std::move(token));
    }
  }
  if (out.size() < most) finish();
  return out;
}

std::string without_literals(const std::vector<Token>& tokens,
                             const std::function<bool(const std::string&)>& is_known) {
  std::string out;
  const Token* before = nullptr;
  for (const Token& token : tokens) {
    const bool opens = before == nullptr || before->is_operator("(") || before->is_operator(".");
    const bool closes = token.is_operator(")") || token.is_operator(",") ||
                        token.is_operator(".") ||
                        (token.is_operator("(") && before != nullptr && before->is_name() &&
                         !is_one_of(*before, {"IN", "VALUES", "AND", "OR", "ON", "WHERE", "SELECT",
                                              "EXISTS", "FROM", "BY", "SET", "AS", "USING"}));
    if (!opens && !closes) out += ' ';
    before = &token;
    const bool name = token.kind == Kind::kWord || token.kind == Kind::kOperator ||
                      (token.kind == Kind::kQuoted && is_known(token.text));
    out += name ? token.text : token.kind == Kind::kParameter ? token.text : "?";
  }
  return out;
}

std::map<std::string, std::string> aliases_of(
    const std::vector<Token>& tokens, const std::function<bool(const std::string&)>& is_table) {
  std::map<std::string, std::string> out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const bool follows =
        i > 0 && (is_one_of(tokens[i - 1], {"FROM", "JOIN", "UPDATE", "INTO"}) ||
                  tokens[i - 1].is_operator(",") || tokens[i - 1].is_operator(".") ||
                  tokens[i - 1].is_operator("("));
    if (!follows || !token.is_name() || !is_table(token.text)) continue;
    out[lower_case(token.text)] = token.text;
    size_t next = i + 1;
    if (next < tokens.size() && tokens[next].is("AS")) ++next;
    if (next < tokens.size() && tokens[next].is_name() && !ends_table(tokens[next]))
      out[lower_case(tokens[next].text)] = token.text;
  }
  return out;
}

Conditions conditions_of(
    const std::vector<Token>& tokens,
    const std::function<bool(const std::string& qualifier, const std::string& name)>& is_column) {
  Conditions out;
  bool inside = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (is_one_of(token, {"WHERE", "ON"})) inside = true;
    if (ends_conditions(token)) inside = false;
    if (!inside || !token.is_name()) continue;
    const bool qualified = i >= 2 && tokens[i - 1].is_operator(".") && tokens[i - 2].is_name();
    if (!is_column(qualified ? tokens[i - 2].text : std::string(), token.text)) continue;
    const Test right = i + 1 < tokens.size() ? test_of(tokens[i + 1]) : Test::kNone;
    const size_t first = qualified ? i - 2 : i;
    // "IS NOT" and "IN (SELECT" of the word before are not about this column.
    const Test left = first > 0 && tokens[first - 1].kind == Kind::kOperator
                          ? test_of(tokens[first - 1])
                          : Test::kNone;
    const bool negated = i + 2 < tokens.size() && tokens[i + 1].is("IS") && tokens[i + 2].is("NOT");
    const Test test = right != Test::kNone ? right : left;
    if (negated || test == Test::kNone) continue;
    add_once(test == Test::kEqual ? out.equal : out.range, token.text);
  }
  std::erase_if(out.range, [&out](const std::string& name) {
    return std::find(out.equal.begin(), out.equal.end(), name) != out.equal.end();
  });
  return out;
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace plumb::sqlite_inspect
