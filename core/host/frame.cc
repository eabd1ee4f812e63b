#include "core/host/frame.h"

#include <cassert>

#include "core/host/wire.h"

namespace plumb::host {
namespace {

// Consumed bytes are only moved away once they are this many, so that a burst of small frames does
// not move the rest of the buffer for each.
constexpr size_t kCompactAt = size_t{64} << 10;

}  // namespace

bool is_frame_type(uint16_t type) {
  return (type >= static_cast<uint16_t>(FrameType::kConfigure) &&
          type <= static_cast<uint16_t>(FrameType::kStop)) ||
         (type >= static_cast<uint16_t>(FrameType::kHello) &&
          type <= static_cast<uint16_t>(FrameType::kStacks));
}

std::string encode_frame(FrameType type, std::string_view payload) {
  assert(payload.size() <= kMaxPayload);
  std::string out;
  out.reserve(kFrameHeader + payload.size());
  put(out, static_cast<uint32_t>(payload.size()));
  put(out, static_cast<uint16_t>(type));
  out.append(payload);
  return out;
}

void FrameReader::append(std::string_view bytes) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = 0;
  } else if (begin_ >= kCompactAt) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<Frame>> FrameReader::next() {
  std::string_view rest = std::string_view(buffer_).substr(begin_);
  uint32_t length = 0;
  uint16_t type = 0;
  if (!take(rest, length)) return std::optional<Frame>();
  if (length > kMaxPayload) {
    return Status::invalid_argument("a frame of " + std::to_string(length) +
                                    " bytes, more than the limit of " +
                                    std::to_string(kMaxPayload));
  }
  if (!take(rest, type)) return std::optional<Frame>();
  if (!is_frame_type(type)) {
    return Status::invalid_argument("a frame of unknown type " + std::to_string(type));
  }
  if (rest.size() < length) return std::optional<Frame>();
  begin_ += kFrameHeader + length;
  return std::optional<Frame>(Frame{static_cast<FrameType>(type), rest.substr(0, length)});
}

}  // namespace plumb::host
