// JMeter's results as XML (.jtl): <httpSample t="12" ts="1700000000000" lb="Home" .../>, one after
// the other within <testResults>. Only tags and their attributes are read; text between them (what
// was sent and received) is passed over.
#include <array>
#include <utility>

#include "core/imports/csv_value.h"
#include "core/imports/formats.h"
#include "core/imports/jmeter_sample.h"

namespace plumb::imports {
namespace {

constexpr size_t kLongestTag = size_t{1} << 16;

// &lt; &gt; &amp; &quot; &apos; and character references of ASCII; anything else stays.
std::string unescaped(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNamed = {
      {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string out;
  while (!text.empty()) {
    const size_t at = text.find('&');
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at);
    bool known = false;
    for (const auto& [name, c] : kNamed) {
      if (!text.starts_with(name)) continue;
      out += c;
      text.remove_prefix(name.size());
      known = true;
      break;
    }
    if (known) continue;
    const size_t end = text.find(';');
    const auto code = text.starts_with("&#") && end != std::string_view::npos
                          ? parse_count(text.substr(2, end - 2))
                          : std::nullopt;
    if (code && *code >= 0x20 && *code < 0x7f) {
      out += static_cast<char>(*code);
      text.remove_prefix(end + 1);
    } else {
      out += '&';
      text.remove_prefix(1);
    }
  }
  return out;
}

struct XmlTag {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string>> attributes;
  bool closes = false;        // </name>
  bool self_closing = false;  // <name/>

  std::string_view attribute(std::string_view wanted) const {
    for (const auto& [key, value] : attributes)
      if (key == wanted) return value;
    return {};
  }
};

// `text` is what stands between < and >. Nothing when it is malformed.
std::optional<XmlTag> parse_tag(std::string_view text) {
  XmlTag out;
  if (text.starts_with('/')) {
    out.closes = true;
    text.remove_prefix(1);
  } else if (text.ends_with('/')) {
    out.self_closing = true;
    text.remove_suffix(1);
  }
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t name_end = std::min(text.find_first_of(kBlanks), text.size());
  out.name = text.substr(0, name_end);
  text = trimmed(text.substr(name_end));
  while (!text.empty()) {
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = trimmed(text.substr(0, equals));
    text = trimmed(text.substr(equals + 1));
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) return std::nullopt;
    const size_t end = text.find(text.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    out.attributes.emplace_back(key, unescaped(text.substr(1, end - 1)));
    text = trimmed(text.substr(end + 1));
  }
  return out;
}

class JmeterXml final : public Reader {
 public:
  explicit JmeterXml(Sink& sink) : samples_(sink) {}

  std::optional<Problem> line(std::string_view text) override {
    size_t at = 0;
    while (at < text.size()) {
      if (!in_tag_) {
        const size_t open = text.find('<', at);
        if (open == std::string_view::npos) return std::nullopt;
        in_tag_ = true;
        quote_ = 0;
        tag_.clear();
        at = open + 1;
        column_ = at;
        continue;
      }
      const size_t end = end_of_tag(text, at);
      tag_ += text.substr(at, end - at);
      if (tag_.size() > kLongestTag) return Problem{column_, "this tag has no end"};
      if (end == text.size()) break;
      in_tag_ = false;
      at = end + 1;
      if (auto problem = tag()) return problem;
    }
    if (in_tag_) tag_ += '\n';
    return std::nullopt;
  }

  std::optional<Problem> finish() override {
    if (in_tag_) return Problem{0, "the file ends within a tag"};
    return samples_.finish();
  }

 private:
  // Of the '>' that is in no quotes, or the end of the line.
  size_t end_of_tag(std::string_view text, size_t at) {
    for (; at < text.size(); ++at) {
      const char c = text[at];
      if (quote_ != 0) {
        if (c == quote_) quote_ = 0;
      } else if (c == '"' || c == '\'') {
        quote_ = c;
      } else if (c == '>') {
        break;
      }
    }
    return at;
  }

  std::optional<Problem> tag() {
    if (tag_.starts_with('?') || tag_.starts_with('!')) return std::nullopt;
    const auto parsed = parse_tag(tag_);
    if (!parsed) return Problem{column_, "this tag is malformed: name=\"value\" is expected"};
    if (parsed->name != "httpSample" && parsed->name != "sample") return std::nullopt;
    if (parsed->closes) {
      if (depth_ > 0) --depth_;
      return std::nullopt;
    }
    // A sample within a sample is a part of its time: a redirect, an image of a page.
    const bool outermost = depth_ == 0;
    if (!parsed->self_closing) ++depth_;
    return outermost ? sample(*parsed) : std::nullopt;
  }

  std::optional<Problem> sample(const XmlTag& tag) {
    const auto number = [&](std::string_view key, int64_t& out) -> std::optional<Problem> {
      const std::string_view value = tag.attribute(key);
      if (value.empty()) return std::nullopt;
      return read_duration(key, {value, column_}, 1e6, out);
    };
    JmeterSample out;
    if (auto problem = read_time("ts", {tag.attribute("ts"), column_}, out.start_ns))
      return problem;
    if (auto problem = read_duration("t", {tag.attribute("t"), column_}, 1e6, out.elapsed_ns))
      return problem;
    if (auto problem = number("lt", out.latency_ns)) return problem;
    if (auto problem = number("ct", out.connect_ns)) return problem;
    out.label = tag.attribute("lb");
    out.code = tag.attribute("rc");
    out.message = tag.attribute("rm");
    out.success = tag.attribute("s") != "false";
    if (const auto threads = parse_finite(tag.attribute("na")); threads && *threads >= 0)
      out.threads = *threads;
    samples_.add(out);
    return std::nullopt;
  }

  JmeterSamples samples_;
  std::string tag_;  // what was read of it until now
  bool in_tag_ = false;
  char quote_ = 0;
  size_t column_ = 0;
  size_t depth_ = 0;  // of open samples
};

bool is_jmeter_xml(const std::vector<std::string>& head, const ReaderOptions&) {
  for (const std::string& line : head) {
    if (line.find("<testResults") != std::string::npos) return true;
    if (!line.starts_with("<?xml")) return false;
  }
  return false;
}

}  // namespace

Format jmeter_xml_format() {
  return {.name = "jmeter-xml",
          .tool = "jmeter",
          .title = "JMeter JTL (XML)",
          .recognises = is_jmeter_xml,
          .make = [](Sink& sink, const ReaderOptions&) -> std::unique_ptr<Reader> {
            return std::make_unique<JmeterXml>(sink);
          }};
}

}  // namespace plumb::imports
