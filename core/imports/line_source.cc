#include "core/imports/line_source.h"

#include <algorithm>
#include <cstring>

namespace plumb::imports {
namespace {

constexpr size_t kFirstBuffer = size_t{1} << 18;

}  // namespace

Status LineSource::fill() {
  if (from_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + from_, to_ - from_);
    to_ -= from_;
    from_ = 0;
  }
  if (to_ == buffer_.size()) buffer_.resize(std::max(kFirstBuffer, buffer_.size() * 2));
  PLUMB_ASSIGN_OR_RETURN(const size_t n, bytes_->read(std::span(buffer_).subspan(to_)));
  to_ += n;
  at_end_ = n == 0;
  return Status::ok();
}

Status LineSource::drop_byte_order_mark() {
  while (!at_end_ && to_ - from_ < 3) {
    PLUMB_RETURN_IF_ERROR(fill());
  }
  const std::string_view start(buffer_.data() + from_, to_ - from_);
  if (start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff"))
    return Status::invalid_argument("line 1: the text is UTF-16; UTF-8 is expected");
  if (start.starts_with("\xef\xbb\xbf")) from_ += 3;
  return Status::ok();
}

Result<std::optional<std::string_view>> LineSource::next() {
  if (number_ == 0) {
    PLUMB_RETURN_IF_ERROR(drop_byte_order_mark());
  }
  size_t searched = 0;
  for (;;) {
    const char* start = buffer_.data() + from_;
    const size_t held = to_ - from_;
    const void* found =
        held > searched ? std::memchr(start + searched, '\n', held - searched) : nullptr;
    if (found != nullptr || (at_end_ && held > 0)) {
      size_t length =
          found != nullptr ? static_cast<size_t>(static_cast<const char*>(found) - start) : held;
      ++number_;
      ended_ = found != nullptr;
      from_ += length + (ended_ ? 1 : 0);
      if (length > kLongestLine) break;
      if (length > 0 && start[length - 1] == '\r') --length;
      return std::optional(std::string_view(start, length));
    }
    if (at_end_) return std::optional<std::string_view>();
    if (held > kLongestLine) {
      ++number_;
      break;
    }
    searched = held;
    PLUMB_RETURN_IF_ERROR(fill());
  }
  return Status::invalid_argument("line " + std::to_string(number_) + " is longer than " +
                                  std::to_string(kLongestLine >> 20) +
                                  " MiB; a line of text is expected");
}

}  // namespace plumb::imports
