#include "plugins/prom_scrape/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "plugins/prom_scrape/plain_text.h"

namespace plumb::prom_scrape {
namespace {

constexpr size_t kShownOfALine = 60;

constexpr uint8_t kNameStart = 1;
constexpr uint8_t kNameGoesOn = 2;
constexpr uint8_t kLabelStart = 4;
constexpr uint8_t kLabelGoesOn = 8;

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> out{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (letter || c == ':') out[c] |= kNameStart;
    if (letter || digit || c == ':') out[c] |= kNameGoesOn;
    if (letter) out[c] |= kLabelStart;
    if (letter || digit) out[c] |= kLabelGoesOn;
  }
  return out;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

bool is(char c, uint8_t wanted) { return (kClasses[static_cast<uint8_t>(c)] & wanted) != 0; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

size_t past_blanks(std::string_view text, size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

size_t end_of_word(std::string_view text, size_t at) {
  while (at < text.size() && !is_blank(text[at])) ++at;
  return at;
}

// The next word of `rest`, which is shortened by it and the blanks around it.
std::string_view take_word(std::string_view& rest) {
  const size_t begin = past_blanks(rest, 0);
  const size_t end = end_of_word(rest, begin);
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(past_blanks(rest, end));
  return word;
}

bool is_metric_name(std::string_view text) {
  return !text.empty() && text.size() <= kMostSeriesBytes && is(text[0], kNameStart) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is(c, kNameGoesOn); });
}

// Numbers as Go writes them: 12, -0.5, 1e+06, NaN, +Inf.
bool parse_number(std::string_view word, double& out) {
  if (word.size() > 1 && word[0] == '+' && word[1] != '-') word.remove_prefix(1);
  const char* end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, out);
  return error == std::errc() && at == end && !word.empty();
}

// Where the brace that closes the labels stands, or npos. `at` is just past the one that opens.
size_t end_of_labels(std::string_view line, size_t at) {
  bool quoted = false;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (quoted) {
      if (c == '\\')
        ++at;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '}') {
      return at;
    }
  }
  return std::string_view::npos;
}

const char* parse_sample(std::string_view line, ExpositionSample& out) {
  if (!is(line[0], kNameStart)) return "no metric's name at its begin";
  size_t at = 1;
  while (at < line.size() && is(line[at], kNameGoesOn)) ++at;
  out.name = line.substr(0, at);
  size_t series_end = at;
  at = past_blanks(line, at);
  if (at < line.size() && line[at] == '{') {
    const size_t close = end_of_labels(line, at + 1);
    if (close == std::string_view::npos) return "the braces are not closed";
    out.labels = line.substr(at + 1, close - at - 1);
    series_end = close + 1;
    at = past_blanks(line, series_end);
  } else {
    out.labels = {};
    if (at == series_end && at < line.size()) return "a character that no metric's name has";
  }
  if (series_end > kMostSeriesBytes) return "name and labels are longer than 8192 bytes";
  out.series = line.substr(0, series_end);
  std::string_view rest = line.substr(at);
  const std::string_view value = take_word(rest);
  if (value.empty()) return "no value";
  if (!parse_number(value, out.value)) return "the value is no number";
  if (rest.empty() || rest[0] == '#') return nullptr;
  double timestamp = 0;
  if (!parse_number(take_word(rest), timestamp)) return "what follows the value is no timestamp";
  if (rest.empty() || rest[0] == '#') return nullptr;
  return "more than a value and a timestamp";
}

struct TypeWord {
  std::string_view word;
  MetricType type;
};
// The first of a type is its name for people.
constexpr TypeWord kTypeWords[] = {{"unknown", MetricType::kUnknown},
                                   {"counter", MetricType::kCounter},
                                   {"gauge", MetricType::kGauge},
                                   {"histogram", MetricType::kHistogram},
                                   {"gaugehistogram", MetricType::kGaugeHistogram},
                                   {"summary", MetricType::kSummary},
                                   {"info", MetricType::kInfo},
                                   {"stateset", MetricType::kStateSet},
                                   {"untyped", MetricType::kUnknown}};

// A line that begins with '#'. "# EOF" sets `ended`; what is none of the known comments is one.
const char* read_comment(std::string_view line, ExpositionSink& sink, bool& ended) {
  std::string_view rest = line.substr(1);
  const std::string_view what = take_word(rest);
  ended = what == "EOF" && rest.empty();
  const bool type = what == "TYPE";
  const bool help = what == "HELP";
  const bool unit = what == "UNIT";
  if (!type && !help && !unit) return nullptr;
  const std::string_view metric = take_word(rest);
  if (!is_metric_name(metric)) return "a comment about no metric's name";
  if (help) {
    sink.on_help(metric, rest);
    return nullptr;
  }
  const std::string_view word = take_word(rest);
  if (unit) {
    sink.on_unit(metric, word);
    return nullptr;
  }
  for (const TypeWord& known : kTypeWords) {
    if (word != known.word) continue;
    sink.on_type(metric, known.type);
    return nullptr;
  }
  return "a type that there is not";
}

}  // namespace

std::string_view metric_type_name(MetricType type) {
  for (const TypeWord& known : kTypeWords)
    if (known.type == type) return known.word;
  return "unknown";
}

ExpositionSummary read_exposition(std::string_view text, bool whole, ExpositionSink& sink) {
  ExpositionSummary out;
  ExpositionSample sample;
  for (size_t at = 0; at < text.size();) {
    const void* feed = std::memchr(text.data() + at, '\n', text.size() - at);
    const size_t end = feed == nullptr
                           ? text.size()
                           : static_cast<size_t>(static_cast<const char*>(feed) - text.data());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++out.lines;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(past_blanks(line, 0));
    if (line.empty()) continue;
    out.ended = false;
    const char* problem = nullptr;
    if (feed == nullptr && !whole) {
      problem = "the text ends within the line";
    } else if (line[0] == '#') {
      problem = read_comment(line, sink, out.ended);
    } else {
      problem = parse_sample(line, sample);
      if (problem == nullptr) problem = sink.on_sample(sample);
      if (problem == nullptr) ++out.samples;
    }
    if (problem == nullptr) continue;
    if (++out.malformed > 1) continue;
    out.first_malformed_line = out.lines;
    out.first_malformed = std::string(problem) + ": \"" + plain_text(line, kShownOfALine) + "\"";
  }
  return out;
}

const char* parse_labels(std::string_view text, MetricLabels& out) {
  out.clear();
  size_t at = past_blanks(text, 0);
  while (at < text.size()) {
    if (!is(text[at], kLabelStart)) return "no label's name where one is due";
    const size_t begin = at;
    while (at < text.size() && is(text[at], kLabelGoesOn)) ++at;
    auto& [name, value] = out.emplace_back(std::string(text.substr(begin, at - begin)), "");
    at = past_blanks(text, at);
    if (at >= text.size() || text[at] != '=') return "a label without =";
    at = past_blanks(text, at + 1);
    if (at >= text.size() || text[at] != '"') return "a label's value without quotes";
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] != '\\') {
        value += text[at];
        continue;
      }
      if (++at >= text.size()) break;
      // As Prometheus does: \n, \", \\, and any other pair stands for itself.
      if (text[at] == 'n')
        value += '\n';
      else if (text[at] == '"' || text[at] == '\\')
        value += text[at];
      else
        (value += '\\') += text[at];
    }
    if (at >= text.size()) return "a label's value whose quote is not closed";
    at = past_blanks(text, at + 1);
    if (at >= text.size()) break;
    if (text[at] != ',') return "labels with no comma between";
    at = past_blanks(text, at + 1);
  }
  return nullptr;
}

std::string unescape_help(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool pair = text[at] == '\\' && at + 1 < text.size();
    const char next = pair ? text[at + 1] : '\0';
    if (next == 'n')
      out += '\n';
    else if (next == '\\' || next == '"')
      out += next;
    else
      out += text[at];
    if (next == 'n' || next == '\\' || next == '"') ++at;
  }
  return out;
}

bool looks_like_html(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != std::string_view::npos && text[first] == '<';
}

}  // namespace plumb::prom_scrape
