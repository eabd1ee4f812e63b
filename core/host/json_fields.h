// Reads untrusted JSON: bounded in size and depth, every field looked at for its type and range.
#ifndef PLUMB_CORE_HOST_JSON_FIELDS_H_
#define PLUMB_CORE_HOST_JSON_FIELDS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::host {

// Parses without throwing. Text that is too long, nested deeper than 16, not JSON or not UTF-8 is
// an INVALID_ARGUMENT that begins with `what`.
Result<nlohmann::json> parse_json(std::string_view text, size_t most_bytes, std::string_view what);

// Takes the fields of one JSON object. The first field that is missing or wrong is kept as the
// status; what is returned for it and after it is a zero or empty value.
class JsonFields {
 public:
  // `object` must outlive this; `what` begins each error, such as "series".
  JsonFields(const nlohmann::json& object, std::string what);

  // A string of at most `most` bytes, without NUL.
  std::string text(const char* key, size_t most);
  std::optional<std::string> optional_text(const char* key, size_t most);
  int64_t integer(const char* key, int64_t least = std::numeric_limits<int64_t>::min(),
                  int64_t most = std::numeric_limits<int64_t>::max());
  uint32_t number32(const char* key, uint32_t least = 0,
                    uint32_t most = std::numeric_limits<uint32_t>::max());
  uint64_t number64(const char* key);
  bool boolean(const char* key);
  std::vector<std::string> texts(const char* key, size_t most_items, size_t most_bytes);
  // nullptr when it is missing, of another type, or larger than `most_items`.
  const nlohmann::json* object(const char* key, size_t most_items);
  const nlohmann::json* array(const char* key, size_t most_items);

  // Keeps `problem` if it is the first.
  void fail(std::string_view problem);
  const Status& status() const { return status_; }

 private:
  const nlohmann::json* find(const char* key);
  void wrong(const char* key, std::string_view expected);

  const nlohmann::json& object_;
  std::string what_;
  Status status_;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_JSON_FIELDS_H_
