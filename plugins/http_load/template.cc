#include "plugins/http_load/template.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "plugins/http_load/encoding.h"
#include "plugins/http_load/nearest_name.h"

namespace plumb::http_load {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::array<std::string_view, 6> kReserved = {"uuid",      "random", "user",
                                                       "iteration", "now",    "date"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<int64_t> integer_of(std::string_view text) {
  text = trimmed(text);
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::string_view number_text(int64_t value, std::array<char, 40>& buffer) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), static_cast<size_t>(end - buffer.data())};
}

// Version 4 of RFC 9562, from the plan's own generator: unique enough for load, and no secret.
std::string_view uuid_text(Random& random, std::array<char, 40>& buffer) {
  const uint64_t high = (random.next() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (random.next() >> 2) | (uint64_t{1} << 63);
  constexpr char kDigits[] = "0123456789abcdef";
  char* at = buffer.data();
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) *at++ = '-';
    const uint64_t word = i < 16 ? high : low;
    *at++ = kDigits[(word >> (60 - 4 * (i % 16))) & 15];
  }
  return {buffer.data(), 36};
}

std::string_view date_text(int64_t wall_ms, std::array<char, 40>& buffer) {
  const time_t seconds = wall_ms / 1000;
  tm day{};
  gmtime_r(&seconds, &day);
  const size_t size = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d", &day);
  return {buffer.data(), size};
}

Status at_column(size_t offset, const std::string& what) {
  return Status::invalid_argument("column " + std::to_string(offset + 1) + ": " + what);
}

}  // namespace

int64_t system_wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

uint32_t TemplateNames::add(const std::string& name) {
  if (const auto known = find(name)) return *known;
  names_.push_back(name);
  return static_cast<uint32_t>(names_.size() - 1);
}

std::optional<uint32_t> TemplateNames::find(std::string_view name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  if (at == names_.end()) return std::nullopt;
  return static_cast<uint32_t>(at - names_.begin());
}

std::string TemplateNames::hint(std::string_view name) const {
  std::vector<std::string> known = names_;
  known.insert(known.end(), kReserved.begin(), kReserved.end());
  return name_hint(name, known);
}

bool TemplateNames::is_reserved(std::string_view name) {
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

class Template::Compiler {
 public:
  Compiler(std::string_view text, TemplatePlace place, const TemplateNames& names)
      : text_(text), place_(place), names_(names) {}

  Result<Template> run() {
    size_t at = 0;
    for (size_t open = text_.find(kOpen); open != std::string_view::npos;
         open = text_.find(kOpen, at)) {
      literal(text_.substr(at, open - at));
      if (text_.substr(open + 2).starts_with(kOpen)) {
        literal(kOpen);
        at = open + 4;
        continue;
      }
      const size_t close = text_.find(kClose, open);
      if (close == std::string_view::npos)
        return at_column(open, "{{ without its }}: write {{{{ for a plain {{");
      const std::string_view before = text_.substr(at, open - at);
      PLUMB_RETURN_IF_ERROR(placeholder(open + 2, close));
      at = close + 2;
      if (takes_quotes(before, text_.substr(at))) {
        unquoted_.push_back(out_.segments_.size() - 1);
        ++at;
      }
    }
    literal(text_.substr(at));
    for (const size_t segment : unquoted_) out_.segments_[segment - 1].text.pop_back();
    return std::move(out_);
  }

 private:
  void literal(std::string_view text) {
    if (text.empty()) return;
    if (!out_.segments_.empty() && out_.segments_.back().source == Source::kText)
      out_.segments_.back().text += text;
    else
      out_.segments_.push_back({.text = std::string(text)});
  }

  // Whether the placeholder between these two is the whole of a JSON string, and raw.
  bool takes_quotes(std::string_view before, std::string_view after) const {
    return place_ == TemplatePlace::kJsonBody && is_raw_ && before.ends_with('"') &&
           !before.ends_with("\\\"") && after.starts_with('"');
  }

  Status placeholder(size_t begin, size_t end) {
    Segment segment;
    std::string_view rest = text_.substr(begin, end - begin);
    const size_t bar = rest.find('|');
    PLUMB_RETURN_IF_ERROR(source(rest.substr(0, bar), begin, segment));
    is_raw_ = false;
    for (size_t at = bar; at != std::string_view::npos;) {
      rest.remove_prefix(at + 1);
      at = rest.find('|');
      PLUMB_RETURN_IF_ERROR(filter(rest.substr(0, at), begin, segment));
    }
    note_use(segment);
    fit_place(segment);
    out_.segments_.push_back(std::move(segment));
    return Status::ok();
  }

  Status source(std::string_view written, size_t column, Segment& segment) const {
    const std::string_view expression = trimmed(written);
    if (expression.empty()) return at_column(column, "{{}} names nothing");
    if (const auto slot = names_.find(expression)) {
      segment.source = Source::kValue;
      segment.slot = *slot;
      return Status::ok();
    }
    const size_t open = expression.find('(');
    const std::string_view name = trimmed(expression.substr(0, open));
    if (!TemplateNames::is_reserved(name)) {
      const std::string shown = printable(expression, 60);
      return at_column(column, "there is no {{" + shown + "}}." + names_.hint(expression));
    }
    std::string_view arguments;
    if (open != std::string_view::npos) {
      if (!expression.ends_with(')')) return at_column(column, "a ( without its )");
      arguments = expression.substr(open + 1, expression.size() - open - 2);
    }
    if (name == "random") return random(arguments, column, segment);
    if (!trimmed(arguments).empty())
      return at_column(column, std::string(name) + " takes nothing in parentheses");
    segment.source = name == "uuid"        ? Source::kUuid
                     : name == "user"      ? Source::kUser
                     : name == "iteration" ? Source::kIteration
                     : name == "now"       ? Source::kNow
                                           : Source::kDate;
    return Status::ok();
  }

  static Status random(std::string_view arguments, size_t column, Segment& segment) {
    const size_t comma = arguments.find(',');
    const auto from = integer_of(arguments.substr(0, comma));
    const auto to =
        comma == std::string_view::npos ? std::nullopt : integer_of(arguments.substr(comma + 1));
    if (!from || !to || *from > *to)
      return at_column(column,
                       "random takes two whole numbers, the lower first: {{random(1,100)}}");
    segment.source = Source::kRandom;
    segment.from = *from;
    segment.to = *to;
    return Status::ok();
  }

  Status filter(std::string_view written, size_t column, Segment& segment) {
    const std::string_view name = trimmed(written);
    is_raw_ = name == "raw";
    if (is_raw_) return Status::ok();
    if (name == "url") {
      segment.filters.push_back(Filter::kUrl);
    } else if (name == "json") {
      segment.filters.push_back(Filter::kJson);
    } else if (name == "base64") {
      segment.filters.push_back(Filter::kBase64);
    } else {
      const std::vector<std::string> known = {"url", "json", "base64", "raw"};
      return at_column(
          column, "there is no filter '" + printable(name, 60) + "'." + name_hint(name, known));
    }
    return Status::ok();
  }

  void note_use(const Segment& segment) {
    if (segment.source != Source::kValue) {
      out_.has_function_ = true;
      return;
    }
    const auto add = [&](std::vector<uint32_t>& to) {
      if (std::find(to.begin(), to.end(), segment.slot) == to.end()) to.push_back(segment.slot);
    };
    add(out_.slots_);
    if (place_ == TemplatePlace::kHeader && segment.filters.empty()) add(out_.line_slots_);
  }

  // Adds what the place asks for, unless the plan has just done that itself.
  void fit_place(Segment& segment) const {
    const auto add = [&](Filter filter) {
      if (segment.filters.empty() || segment.filters.back() != filter)
        segment.filters.push_back(filter);
    };
    if (place_ == TemplatePlace::kPath) add(is_raw_ ? Filter::kPathSafe : Filter::kUrl);
    if (place_ == TemplatePlace::kHeader) add(Filter::kLine);
    if (place_ == TemplatePlace::kJsonBody && !is_raw_) add(Filter::kJson);
  }

  const std::string_view text_;
  const TemplatePlace place_;
  const TemplateNames& names_;
  Template out_;
  bool is_raw_ = false;           // the placeholder at hand
  std::vector<size_t> unquoted_;  // segments whose quotes go
};

Result<Template> Template::compile(std::string_view text, TemplatePlace place,
                                   const TemplateNames& names) {
  return Compiler(text, place, names).run();
}

void Template::apply(Filter filter, std::string_view value, std::string& out) {
  switch (filter) {
    case Filter::kUrl:
      return append_url_encoded(value, out);
    case Filter::kPathSafe:
      return append_path_safe(value, out);
    case Filter::kJson:
      return append_json_escaped(value, out);
    case Filter::kLine:
      return append_line_safe(value, out);
    case Filter::kBase64:
      return append_base64(value, out);
  }
}

void Template::append(const Segment& segment, std::string_view value, std::string& out) {
  if (segment.filters.empty()) {
    out += value;
    return;
  }
  std::string before;
  for (size_t i = 0; i + 1 < segment.filters.size(); ++i) {
    std::string after;
    apply(segment.filters[i], value, after);
    before.swap(after);
    value = before;
  }
  apply(segment.filters.back(), value, out);
}

void Template::render(const TemplateScope& scope, std::string& out) const {
  out.clear();
  std::array<char, 40> buffer;
  for (const Segment& s : segments_) {
    switch (s.source) {
      case Source::kText:
        out += s.text;
        break;
      case Source::kValue:
        append(s, scope.values[s.slot], out);
        break;
      case Source::kUuid:
        append(s, uuid_text(scope.random, buffer), out);
        break;
      case Source::kRandom:
        append(s, number_text(random_between(s.from, s.to, scope.random), buffer), out);
        break;
      case Source::kUser:
        append(s, number_text(static_cast<int64_t>(scope.user), buffer), out);
        break;
      case Source::kIteration:
        append(s, number_text(static_cast<int64_t>(scope.iteration), buffer), out);
        break;
      case Source::kNow:
        append(s, number_text(scope.wall_ms(), buffer), out);
        break;
      case Source::kDate:
        append(s, date_text(scope.wall_ms(), buffer), out);
        break;
    }
  }
}

std::string without_placeholders(std::string_view text) {
  std::string out;
  for (size_t open = text.find(kOpen); open != std::string_view::npos; open = text.find(kOpen)) {
    out += text.substr(0, open);
    const size_t close = text.find(kClose, open);
    if (text.substr(open + 2).starts_with(kOpen)) {
      text.remove_prefix(open + 4);
    } else if (close == std::string_view::npos) {
      return out;
    } else {
      out += 'x';
      text.remove_prefix(close + 2);
    }
  }
  return out.append(text);
}

}  // namespace plumb::http_load
