#include "core/imports/flat_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "core/imports/text_values.h"

namespace plumb::imports {

// Receives nlohmann's events. Its parser keeps its own stack, so depth costs no recursion.
class FlatJsonHandler {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  explicit FlatJsonHandler(FlatJson& out) : out_(out) {}

  bool null() { return add(JsonField::Kind::kNull, ""); }
  bool boolean(bool value) { return add(JsonField::Kind::kBoolean, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) {
    return add(JsonField::Kind::kNumber, std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) {
    return add(JsonField::Kind::kNumber, std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& written) {
    return add(JsonField::Kind::kNumber, written);
  }
  bool string(string_t& value) { return add(JsonField::Kind::kText, value); }
  bool binary(binary_t&) { return true; }

  bool start_object(size_t) {
    if (depth() == 0) is_object_ = true;
    return descend();
  }
  bool key(string_t& name) {
    if (lists_ > 0) return true;
    path_.resize(lengths_.back());
    if (!path_.empty()) path_ += '.';
    path_ += name;
    return path_.size() <= FlatJson::kLongestPath || refuse("a name in the JSON is too long");
  }
  bool end_object() { return ascend(); }
  bool start_array(size_t) {
    if (depth() == 0) return refuse("a JSON object is expected, not a list");
    ++lists_;
    return true;
  }
  bool end_array() {
    --lists_;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    problem_ = Problem{position == 0 ? 1 : position, "this is not valid JSON here"};
    return false;
  }

  std::optional<Problem> problem() const {
    if (problem_) return problem_;
    if (!is_object_) return Problem{1, "a JSON object is expected"};
    return std::nullopt;
  }

 private:
  size_t depth() const { return lengths_.size() + lists_; }

  bool refuse(const char* why) {
    problem_ = Problem{0, why};
    return false;
  }

  bool descend() {
    if (lists_ > 0) {
      ++lists_;
      return true;
    }
    if (lengths_.size() >= FlatJson::kDeepest) return refuse("the JSON is nested too deeply");
    lengths_.push_back(path_.size());
    return true;
  }

  bool ascend() {
    if (lists_ > 0) {
      --lists_;
      return true;
    }
    path_.resize(lengths_.back());
    lengths_.pop_back();
    return true;
  }

  bool add(JsonField::Kind kind, std::string_view text) {
    if (lists_ > 0 || lengths_.empty()) return true;
    if (out_.size_ >= FlatJson::kMostFields) return refuse("the JSON object has too many values");
    if (out_.size_ == out_.fields_.size()) out_.fields_.emplace_back();
    JsonField& field = out_.fields_[out_.size_++];
    field.path = path_;
    field.kind = kind;
    field.text = text;
    return true;
  }

  FlatJson& out_;
  std::string path_;
  std::vector<size_t> lengths_;  // of the path, where each open object began
  size_t lists_ = 0;             // open lists, and objects within them
  bool is_object_ = false;
  std::optional<Problem> problem_;
};

std::optional<Problem> FlatJson::parse(std::string_view text) {
  size_ = 0;
  FlatJsonHandler handler(*this);
  (void)nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
  return handler.problem();
}

const JsonField* FlatJson::find(std::string_view path) const {
  for (size_t i = 0; i < size_; ++i)
    if (fields_[i].path == path) return &fields_[i];
  return nullptr;
}

std::string_view FlatJson::text(std::string_view path) const {
  const JsonField* field = find(path);
  return field == nullptr ? std::string_view() : std::string_view(field->text);
}

}  // namespace plumb::imports
