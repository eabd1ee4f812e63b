// Lines of a text, each whole, with its number.
#ifndef PLUMB_CORE_IMPORTS_LINE_SOURCE_H_
#define PLUMB_CORE_IMPORTS_LINE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/imports/byte_source.h"

namespace plumb::imports {

// Without line ends (LF or CRLF) and without a byte order mark. Not thread-safe.
class LineSource {
 public:
  // Longer lines are an error: nothing that is read here writes such, and memory stays bounded.
  static constexpr size_t kLongestLine = size_t{4} << 20;

  explicit LineSource(std::unique_ptr<ByteSource> bytes) : bytes_(std::move(bytes)) {}

  // The next line, valid until the next call; nothing at the end. INVALID_ARGUMENT for a line that
  // is too long and for text that is not UTF-8 but UTF-16.
  Result<std::optional<std::string_view>> next();

  // Of the line that next() gave: from 1.
  uint64_t number() const { return number_; }
  // Whether it ended with a line end. The last line of a writer that was killed has none.
  bool ended() const { return ended_; }

 private:
  Status fill();
  Status drop_byte_order_mark();

  std::unique_ptr<ByteSource> bytes_;
  std::vector<char> buffer_;
  size_t from_ = 0;  // of what is not yet given
  size_t to_ = 0;
  uint64_t number_ = 0;
  bool ended_ = true;
  bool at_end_ = false;
};

}  // namespace plumb::imports

#endif  // PLUMB_CORE_IMPORTS_LINE_SOURCE_H_
