#include "redact.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

namespace plumb::llm_analyzer {
namespace {

constexpr std::string_view kRemoved = "[removed]";
constexpr size_t kRandomLength = 24;  // from here on a mixed run of characters is no word

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_token(char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == '+'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string without_controls(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return out;
}

// Never cuts a UTF-8 sequence in two.
std::string cut(std::string text, size_t limit) {
  constexpr std::string_view kEllipsis = "...";
  if (text.size() <= limit) return text;
  size_t end = limit > kEllipsis.size() ? limit - kEllipsis.size() : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text.append(kEllipsis);
}

bool names_a_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 15> kEndings = {
      "password",  "passwd",        "passphrase", "secret",      "token",
      "api_key",   "apikey",        "api-key",    "access_key",  "private_key",
      "signature", "authorization", "credential", "credentials", "cookie"};
  static constexpr std::array<std::string_view, 6> kWhole = {"pwd",       "auth",       "sid",
                                                             "sessionid", "session_id", "sig"};
  const std::string folded = lower(name);
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](auto known) { return folded.ends_with(known); }) ||
         std::find(kWhole.begin(), kWhole.end(), folded) != kWhole.end();
}

bool has_secret_prefix(std::string_view word) {
  static constexpr std::array<std::string_view, 14> kPrefixes = {
      "sk-",    "sk_",   "pk_",   "rk_",  "ghp_", "gho_", "ghs_",
      "glpat-", "xoxb-", "xoxp-", "AKIA", "ASIA", "AIza", "eyJ"};
  constexpr size_t kLeast = 12;
  return word.size() >= kLeast && std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](auto prefix) {
           return word.starts_with(prefix);
         });
}

bool looks_random(std::string_view word) {
  if (word.size() < kRandomLength) return false;
  const auto digits = std::count_if(word.begin(), word.end(), is_digit);
  const bool words = word.find('_') != std::string_view::npos && digits < 4;
  return digits >= 3 && !words;
}

// "-----BEGIN PRIVATE KEY----- ... -----END PRIVATE KEY-----"
std::string without_key_blocks(std::string text) {
  for (;;) {
    const size_t begin = text.find("-----BEGIN");
    if (begin == std::string::npos) return text;
    const size_t end = text.find("-----END", begin);
    const size_t close = end == std::string::npos ? end : text.find("-----", end + 8);
    const size_t stop = close == std::string::npos ? text.size() : close + 5;
    text.replace(begin, stop - begin, kRemoved);
  }
}

// The end of a value that begins at `at`: quoted, or up to a separator.
size_t value_end(std::string_view text, size_t at) {
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
    const size_t close = text.find(text[at], at + 1);
    return close == std::string_view::npos ? text.size() : close + 1;
  }
  while (at < text.size() && !is_space(text[at]) &&
         std::string_view("&;,)}]\"'<>").find(text[at]) == std::string_view::npos)
    ++at;
  return at;
}

size_t skip_spaces(std::string_view text, size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

// Where a secret's value begins that the word before `at` announces ("token=", "Bearer "); nothing
// when none does.
std::optional<size_t> announced_value(std::string_view text, std::string_view word, size_t at) {
  const std::string folded = lower(word);
  if ((folded == "bearer" || folded == "basic") && at < text.size() && text[at] == ' ')
    return skip_spaces(text, at);
  if (!names_a_secret(word)) return std::nullopt;
  size_t next = at;
  if (next < text.size() && (text[next] == '"' || text[next] == '\'')) ++next;
  next = skip_spaces(text, next);
  if (next >= text.size() || (text[next] != '=' && text[next] != ':')) return std::nullopt;
  next = skip_spaces(text, next + 1);
  for (const std::string_view scheme : {"bearer ", "basic "}) {
    if (lower(text.substr(next, scheme.size())) == scheme)
      return skip_spaces(text, next + scheme.size());
  }
  return next;
}

// "user:password@" after "://".
std::optional<size_t> user_info_end(std::string_view text, size_t at) {
  const size_t end = text.find_first_of("/?# '\"", at);
  const size_t stop = end == std::string_view::npos ? text.size() : end;
  const size_t sign = text.substr(0, stop).rfind('@');
  if (sign == std::string_view::npos || sign < at) return std::nullopt;
  return sign;
}

bool is_mail_address(std::string_view text, size_t word_end) {
  return word_end < text.size() && text[word_end] == '@' && word_end + 1 < text.size() &&
         is_alnum(text[word_end + 1]);
}

}  // namespace

std::string remove_secrets(std::string_view raw) {
  const std::string text = without_key_blocks(without_controls(raw));
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    if (text.compare(at, 3, "://") == 0) {
      out += "://";
      at += 3;
      if (const auto sign = user_info_end(text, at)) {
        out += kRemoved;
        at = *sign;
      }
      continue;
    }
    if (!is_token(text[at])) {
      out += text[at++];
      continue;
    }
    size_t end = at;
    while (end < text.size() && is_token(text[end])) ++end;
    const std::string_view word = std::string_view(text).substr(at, end - at);
    if (is_mail_address(text, end)) {
      out += kRemoved;
      at = value_end(text, end);
    } else if (has_secret_prefix(word) || looks_random(word)) {
      out += kRemoved;
      at = end;
    } else if (const auto value = announced_value(text, word, end)) {
      out.append(text, at, *value - at);
      const size_t stop = value_end(text, *value);
      if (stop > *value) out += kRemoved;
      at = stop;
    } else {
      out += word;
      at = end;
    }
  }
  return out;
}

namespace {

const std::vector<std::string_view>& sql_keywords() {
  static const std::vector<std::string_view> kWords = {
      "select",   "insert",  "update",    "delete",    "with",     "from",      "where",
      "and",      "or",      "not",       "in",        "is",       "null",      "as",
      "on",       "join",    "left",      "right",     "inner",    "outer",     "full",
      "cross",    "group",   "order",     "by",        "having",   "limit",     "offset",
      "set",      "values",  "into",      "returning", "union",    "all",       "any",
      "distinct", "case",    "when",      "then",      "else",     "end",       "between",
      "like",     "ilike",   "exists",    "asc",       "desc",     "begin",     "commit",
      "rollback", "create",  "alter",     "drop",      "table",    "index",     "using",
      "for",      "share",   "skip",      "locked",    "nowait",   "conflict",  "do",
      "nothing",  "over",    "partition", "lateral",   "explain",  "analyze",   "vacuum",
      "truncate", "copy",    "call",      "declare",   "fetch",    "immediate", "transaction",
      "pragma",   "replace", "window",    "filter",    "interval", "array",     "cast",
      "true",     "false",   "default",   "savepoint", "release",  "show",      "lock",
      "of",       "only",    "recursive", "cascade"};
  return kWords;
}

bool is_sql_keyword(std::string_view word) {
  const std::string folded = lower(word);
  return std::find(sql_keywords().begin(), sql_keywords().end(), folded) != sql_keywords().end();
}

bool starts_a_statement(std::string_view text) {
  static constexpr std::array kVerbs = {
      "select",  "insert",  "update", "delete",   "with", "begin",     "commit",  "rollback",
      "create",  "alter",   "drop",   "copy",     "call", "fetch",     "declare", "pragma",
      "replace", "explain", "vacuum", "truncate", "lock", "savepoint", "set",     "show"};
  size_t end = 0;
  while (end < text.size() && is_alnum(text[end])) ++end;
  const std::string verb = lower(text.substr(0, end));
  return std::find(kVerbs.begin(), kVerbs.end(), verb) != kVerbs.end();
}

// One symbol of SQL: a word, "?" for a literal, or a mark.
std::vector<std::string> sql_symbols(std::string_view text) {
  std::vector<std::string> symbols;
  size_t at = 0;
  const auto is_word = [&](char c) {
    return is_alnum(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  };
  while (at < text.size()) {
    const char c = text[at];
    if (is_space(c)) {
      ++at;
    } else if (text.compare(at, 2, "--") == 0) {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.compare(at, 2, "/*") == 0) {
      const size_t close = text.find("*/", at);
      at = close == std::string_view::npos ? text.size() : close + 2;
    } else if (c == '\'' || c == '"' || c == '`') {
      // A quoted identifier is dropped like a literal: what stands in it is anybody's.
      size_t close = text.find(c, at + 1);
      while (close != std::string_view::npos && close + 1 < text.size() && text[close + 1] == c)
        close = text.find(c, close + 2);
      at = close == std::string_view::npos ? text.size() : close + 1;
      symbols.push_back("?");
    } else if (c == '$' && at + 1 < text.size() && !is_digit(text[at + 1])) {
      const size_t tag_end = text.find('$', at + 1);
      if (tag_end == std::string_view::npos) return symbols.push_back("?"), symbols;
      const std::string_view tag = text.substr(at, tag_end - at + 1);
      const size_t close = text.find(tag, tag_end + 1);
      at = close == std::string_view::npos ? text.size() : close + tag.size();
      symbols.push_back("?");
    } else if (is_digit(c) || ((c == '$' || c == ':' || c == '@') && at + 1 < text.size() &&
                               is_word(text[at + 1]))) {
      ++at;
      while (at < text.size() && (is_word(text[at]) || text[at] == '.')) ++at;
      symbols.push_back("?");
    } else if (is_word(c)) {
      size_t end = at;
      while (end < text.size() && (is_word(text[end]) || text[end] == '.')) ++end;
      symbols.emplace_back(text.substr(at, end - at));
      at = end;
    } else {
      symbols.emplace_back(1, c);
      ++at;
    }
  }
  return symbols;
}

bool is_bare_word(const std::string& symbol) {
  return (is_alnum(symbol[0]) || symbol[0] == '_' ||
          static_cast<unsigned char>(symbol[0]) >= 0x80) &&
         !is_sql_keyword(symbol);
}

// No SQL has three plain words in a row: such a row is prose.
void drop_prose(std::vector<std::string>& symbols) {
  for (size_t i = 0; i < symbols.size(); ++i) {
    size_t end = i;
    while (end < symbols.size() && is_bare_word(symbols[end])) ++end;
    if (end - i < 3) continue;
    symbols[i] = "?";
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(i) + 1,
                  symbols.begin() + static_cast<ptrdiff_t>(end));
  }
}

std::string sql_template(std::string_view text) {
  std::vector<std::string> symbols = sql_symbols(text);
  drop_prose(symbols);
  std::string out;
  for (const std::string& symbol : symbols) {
    // "(?, ?, ?)" of any length is one shape.
    if (symbol == "?" && (out.ends_with("?, ") || out.ends_with("? "))) {
      out.resize(out.size() - (out.ends_with(", ") ? 2 : 1));
      continue;
    }
    const bool glued = symbol == "," || symbol == ")" || symbol == ";" || symbol == ".";
    if (!out.empty() && !glued && !out.ends_with("(") && !out.ends_with(" ")) out += ' ';
    out += symbol;
    if (symbol == ",") out += ' ';
  }
  while (out.ends_with(" ")) out.pop_back();
  return out;
}

// Path segments that are numbers or ids, and all query values, become "?".
std::string url_template(std::string_view url) {
  std::string out;
  const size_t query = url.find_first_of("?#");
  const std::string_view path = url.substr(0, query);
  size_t at = 0;
  while (at < path.size()) {
    if (!is_token(path[at])) {
      out += path[at++];
      continue;
    }
    size_t end = at;
    while (end < path.size() && is_token(path[end])) ++end;
    const std::string_view segment = path.substr(at, end - at);
    const bool authority = out.ends_with("//") || (at > 0 && path[at - 1] == ':');
    const bool id = std::any_of(segment.begin(), segment.end(), is_digit);
    const bool version = segment.size() <= 3 && segment[0] == 'v';
    out += id && !authority && !version ? std::string_view("?") : segment;
    at = end;
  }
  if (query == std::string_view::npos || url[query] == '#') return out;
  bool name = true;
  for (const char c : url.substr(query, url.find('#', query) - query)) {
    if (c == '?' || c == '&') name = true;
    if (name) out += c;
    if (c == '=') {
      name = false;
      out += '?';
    }
  }
  return out;
}

std::string numbers_gone(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!is_digit(text[at])) {
      out += text[at];
    } else if (!out.ends_with("?")) {
      out += '?';
    }
  }
  return out;
}

}  // namespace

std::string to_template(std::string_view raw, size_t limit) {
  const size_t first = raw.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  const std::string_view text = raw.substr(first);
  // Comments end at newlines, so these must still be there.
  if (starts_a_statement(text) && text.find_first_of(" \t\n(") != std::string_view::npos)
    return cut(remove_secrets(sql_template(text)), limit);
  const std::string clean = remove_secrets(text);
  const bool spaced = clean.find(' ') != std::string::npos;
  if (!spaced && clean.find('/') != std::string::npos) return cut(url_template(clean), limit);
  if (!spaced) return cut(clean, limit);
  const auto words = 1 + std::count(clean.begin(), clean.end(), ' ');
  // "GET /orders" and the like are names; more words are prose, and nobody vouches for it.
  if (words <= 2) return cut(numbers_gone(clean), limit);
  return "[" + std::to_string(words) + " words]";
}

}  // namespace plumb::llm_analyzer
