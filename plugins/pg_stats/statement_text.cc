#include "plugins/pg_stats/statement_text.h"

#include <algorithm>
#include <charconv>

namespace plumb::pg_stats {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// `keyword` in lower case.
bool is_keyword(std::string_view word, std::string_view keyword) {
  return std::ranges::equal(word, keyword, {}, lower);
}

bool is_line_end(char c) { return c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

// Walks over SQL token by token, writing the redacted text.
class Redactor {
 public:
  Redactor(std::string_view sql, bool plain_strings_escape)
      : sql_(sql), plain_strings_escape_(plain_strings_escape) {
    out_.reserve(sql.size());
  }

  std::string run() && {
    while (at_ < sql_.size()) step();
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    return std::move(out_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  void step() {
    const char c = peek();
    if (is_space(c)) {
      ++at_;
      space();
    } else if (c == '-' && peek(1) == '-') {
      while (at_ < sql_.size() && !is_line_end(peek())) ++at_;
      space();
    } else if (c == '/' && peek(1) == '*') {
      skip_comment();
    } else if (c == '\'') {
      skip_string(plain_strings_escape_);
      out_ += '?';
    } else if (c == '"') {
      copy_identifier();
    } else if (c == '$') {
      parameter_or_dollar_quote();
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      skip_number();
      out_ += '?';
    } else if (is_word(c)) {
      word();
    } else {
      mark(c);
    }
  }

  void mark(char c) {
    out_ += c;
    ++at_;
    if (c == ';') {
      verb_seen_ = may_set_ = names_setting_ = false;
    } else if (c == '=' && names_setting_) {
      hide_setting();
    } else if (c == '(' || c == ',') {
      names_setting_ = false;
    }
  }

  // What a setting is set to needs no quotes to be a secret: all of it goes, to the statement's
  // end.
  void hide_setting() {
    may_set_ = names_setting_ = false;
    while (at_ < sql_.size() && is_space(peek())) step();
    const size_t shown = out_.size();
    while (at_ < sql_.size() && peek() != ';') step();
    out_.resize(shown);
    out_ += '?';
  }

  void space() {
    if (!out_.empty() && out_.back() != ' ') out_ += ' ';
  }

  void skip_comment() {
    int depth = 0;
    while (at_ < sql_.size()) {
      if (peek() == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        at_ += 2;
        if (--depth == 0) break;
      } else {
        ++at_;
      }
    }
    space();
  }

  void skip_string(bool backslash_escapes) {
    do {
      skip_one_string(backslash_escapes);
    } while (goes_on());
  }

  void skip_one_string(bool backslash_escapes) {
    ++at_;
    while (at_ < sql_.size()) {
      const char c = sql_[at_++];
      if (c == '\\' && backslash_escapes && at_ < sql_.size()) {
        ++at_;
      } else if (c == '\\' && peek() == '\'') {
        // Whether that ends the string is a setting of the session which wrote it, and that session
        // is not this one: nothing that follows can be told from a literal.
        at_ = sql_.size();
      } else if (c == '\'') {
        if (peek() != '\'') return;
        ++at_;
      }
    }
  }

  // A string that begins on another line than the one before ended is the same string, under the
  // same rules for escapes. Then the place is moved to its quote.
  bool goes_on() {
    size_t at = at_;
    bool new_line = false;
    while (at < sql_.size()) {
      if (is_space(sql_[at])) {
        new_line = new_line || is_line_end(sql_[at]);
        ++at;
      } else if (sql_.substr(at, 2) == "--") {
        while (at < sql_.size() && !is_line_end(sql_[at])) ++at;
      } else {
        break;
      }
    }
    if (!new_line || at >= sql_.size() || sql_[at] != '\'') return false;
    at_ = at;
    return true;
  }

  void copy_identifier() {
    out_ += sql_[at_++];
    while (at_ < sql_.size()) {
      const char c = sql_[at_++];
      out_ += is_space(c) ? ' ' : c;
      if (c == '"') return;
    }
  }

  void parameter_or_dollar_quote() {
    if (is_digit(peek(1))) {
      out_ += sql_[at_++];
      while (is_digit(peek())) out_ += sql_[at_++];
      return;
    }
    size_t end = at_ + 1;
    while (end < sql_.size() && is_word(sql_[end])) ++end;
    if (end >= sql_.size() || sql_[end] != '$') {
      out_ += sql_[at_++];
      return;
    }
    const std::string_view tag = sql_.substr(at_, end - at_ + 1);
    const size_t close = sql_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
    out_ += '?';
  }

  // Servers before 15 take "1e'x'" for a number and a string with escapes.
  void skip_number() {
    skip_digits();
    if (peek() == '\'' && (sql_[at_ - 1] == 'e' || sql_[at_ - 1] == 'E')) skip_string(true);
  }

  void skip_digits() {
    while (at_ < sql_.size()) {
      const char c = peek();
      const bool exponent = (c == 'e' || c == 'E') && (peek(1) == '+' || peek(1) == '-');
      if (exponent) {
        at_ += 2;
      } else if (is_word(c) || c == '.') {
        ++at_;
      } else {
        return;
      }
    }
  }

  void word() {
    const size_t begin = at_;
    while (at_ < sql_.size() && (is_word(peek()) || peek() == '$')) ++at_;
    const std::string_view text = sql_.substr(begin, at_ - begin);
    const bool prefix =
        text.size() == 1 && std::string_view("eEbBxXnN").find(text[0]) != std::string_view::npos;
    if (prefix && peek() == '\'') {
      skip_string(text[0] == 'e' || text[0] == 'E' ||
                  (plain_strings_escape_ && (text[0] == 'n' || text[0] == 'N')));
      out_ += '?';
      return;
    }
    if ((text == "U" || text == "u") && peek() == '&' && peek(1) == '\'') {
      ++at_;
      skip_string(false);
      out_ += '?';
      return;
    }
    out_ += text;
    keyword(text);
  }

  // SET [SESSION | LOCAL] name = | TO ..., by itself or in what makes or alters a role, a database,
  // a function or the system. In any other statement SET is an UPDATE's.
  void keyword(std::string_view text) {
    if (!verb_seen_) {
      verb_seen_ = true;
      may_set_ = is_keyword(text, "set") || is_keyword(text, "alter") || is_keyword(text, "create");
    }
    if (may_set_ && is_keyword(text, "set")) {
      names_setting_ = true;
    } else if (names_setting_ && is_keyword(text, "to")) {
      space();
      hide_setting();
    }
  }

  std::string_view sql_;
  bool plain_strings_escape_;
  size_t at_ = 0;
  bool verb_seen_ = false;      // the statement's first word
  bool may_set_ = false;        // it is one in which SET may set a setting
  bool names_setting_ = false;  // after that SET
  std::string out_;
};

// Length of the valid UTF-8 sequence at the start of `text`, or 0.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned char second = byte(1);
  const bool bad = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                   (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return bad ? 0 : length;
}

}  // namespace

std::string redact_statement(std::string_view sql, bool plain_strings_escape) {
  return Redactor(sql, plain_strings_escape).run();
}

std::string cut_text(std::string_view text, size_t characters) {
  std::string out;
  size_t count = 0;
  size_t last = 0;  // where the last character of `out` begins
  while (!text.empty()) {
    if (count == characters) {
      if (count > 0) out.replace(last, std::string::npos, "…");
      return out;
    }
    const size_t length = sequence_length(text);
    last = out.size();
    if (length == 0) {
      out += '?';
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
    ++count;
  }
  return out;
}

std::string query_id_text(int64_t query_id) {
  if (query_id == 0) return {};
  char digits[16];
  const auto end =
      std::to_chars(digits, digits + sizeof(digits), static_cast<uint64_t>(query_id), 16).ptr;
  return std::string(digits, end);
}

}  // namespace plumb::pg_stats
