// A JSON object as a flat list of its values: {"a":{"b":1}} is a.b = 1. Lists are left out.
#ifndef PLUMB_CORE_IMPORTS_FLAT_JSON_H_
#define PLUMB_CORE_IMPORTS_FLAT_JSON_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/imports/reader.h"

namespace plumb::imports {

struct JsonField {
  enum class Kind { kText, kNumber, kBoolean, kNull };
  std::string path;
  Kind kind = Kind::kNull;
  std::string text;  // of a text; of a number as it was written; true or false
};

// Reused from line to line, so that reading a large file allocates little. Not thread-safe.
class FlatJson {
 public:
  static constexpr size_t kMostFields = 1000;
  static constexpr size_t kDeepest = 32;
  static constexpr size_t kLongestPath = 1000;

  // A problem when the text is no JSON object, or one with too many values or too long names.
  std::optional<Problem> parse(std::string_view text);
  // The value at `path`, or null.
  const JsonField* find(std::string_view path) const;
  // Its text; empty where it is not there or null.
  std::string_view text(std::string_view path) const;
  size_t size() const { return size_; }
  const JsonField& operator[](size_t i) const { return fields_[i]; }

 private:
  friend class FlatJsonHandler;
  std::vector<JsonField> fields_;  // the first size_ are of this line
  size_t size_ = 0;
};

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_FLAT_JSON_H_
