// Text with placeholders, compiled once into segments and rendered for each request:
//
//   {{name}}  {{feeder.column}}  {{random(1,100)}}  {{uuid()}}  {{user}}  {{iteration}}  {{now}}
//   {{date}}  {{name|url}}  {{name|json|base64}}  {{name|raw}}
//
// `{{{{` stands for a plain `{{`. A value is encoded for its place unless the last filter is raw:
// percent-encoded in a path, JSON-escaped in a body of `json:`.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_TEMPLATE_H_
#define PLUMB_PLUGINS_HTTP_LOAD_TEMPLATE_H_

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/http_load/random.h"

namespace plumb::http_load {

// Milliseconds since 1970.
using WallClock = int64_t (*)();
int64_t system_wall_ms();

// The names that a plan gives, extracted values and columns of feeders. Each has a slot.
class TemplateNames {
 public:
  // Its slot; a name that is there keeps its own.
  uint32_t add(const std::string& name);
  std::optional<uint32_t> find(std::string_view name) const;
  const std::string& operator[](uint32_t slot) const { return names_[slot]; }
  size_t size() const { return names_.size(); }
  // " Did you mean ...", built-in names included.
  std::string hint(std::string_view name) const;
  // user, now, uuid, ...: not to be had.
  static bool is_reserved(std::string_view name);

 private:
  std::vector<std::string> names_;
};

// What a template is rendered from.
struct TemplateScope {
  std::span<const std::string> values;  // by slot
  uint64_t user = 0;
  uint64_t iteration = 0;
  Random& random;
  WallClock wall_ms;
};

enum class TemplatePlace : uint8_t { kPath, kHeader, kBody, kJsonBody };

class Template {
 public:
  // The error is "column 9: ..." of `text`. Bodies of `json:` are given as they were serialised: a
  // text there that is nothing but {{x|raw}} loses its quotes, so that it can be a number.
  static Result<Template> compile(std::string_view text, TemplatePlace place,
                                  const TemplateNames& names);

  // No placeholder in it.
  bool is_plain() const { return slots_.empty() && !has_function_; }
  // Puts the text in place of `out`.
  void render(const TemplateScope& scope, std::string& out) const;
  // What it takes, each slot once.
  std::span<const uint32_t> slots() const { return slots_; }
  // Those of them that go into a header as they are, and so must fit one line.
  std::span<const uint32_t> line_slots() const { return line_slots_; }

 private:
  enum class Source : uint8_t { kText, kValue, kUuid, kRandom, kUser, kIteration, kNow, kDate };
  enum class Filter : uint8_t { kUrl, kPathSafe, kJson, kLine, kBase64 };
  struct Segment {
    Source source = Source::kText;
    std::string text = {};  // of kText
    uint32_t slot = 0;      // of kValue
    int64_t from = 0;       // of kRandom
    int64_t to = 0;
    std::vector<Filter> filters = {};
  };
  class Compiler;

  static void append(const Segment& segment, std::string_view value, std::string& out);
  static void apply(Filter filter, std::string_view value, std::string& out);

  std::vector<Segment> segments_;
  std::vector<uint32_t> slots_;
  std::vector<uint32_t> line_slots_;
  bool has_function_ = false;
};

// `text` with an x for each placeholder: what can be checked of it beforehand.
std::string without_placeholders(std::string_view text);

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_TEMPLATE_H_
