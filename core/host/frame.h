// Frames on the socketpair between the engine and a plumb-host:
//
//   u32 length of the payload, little-endian; u16 type, little-endian; payload
//
// A frame whose length is above kMaxPayload or whose type is unknown ends the conversation: the
// stream cannot be trusted from there on.
#ifndef PLUMB_CORE_HOST_FRAME_H_
#define PLUMB_CORE_HOST_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>

namespace plumb::host {

inline constexpr size_t kMaxPayload = size_t{4} << 20;
inline constexpr size_t kFrameHeader = 6;

enum class FrameType : uint16_t {
  // From the engine.
  kConfigure = 1,
  kStart = 2,
  kBeginSampling = 3,
  kStage = 4,
  kDrive = 5,
  kAnalyze = 6,
  kInterrupt = 7,
  kStop = 8,
  // From the host.
  kHello = 64,
  kRefused = 65,
  kReply = 66,
  kResult = 67,
  kHeartbeat = 68,
  kSeries = 69,
  kSamples = 70,
  kHistogram = 71,
  kEvent = 72,
  kTable = 73,
  kHealth = 74,
  kLog = 75,
  kStacks = 76,
};

bool is_frame_type(uint16_t type);

// The payload must not be longer than kMaxPayload.
std::string encode_frame(FrameType type, std::string_view payload);

struct Frame {
  FrameType type;
  std::string_view payload;  // valid until the reader is appended to
};

// Cuts a byte stream into frames. Not thread-safe.
class FrameReader {
 public:
  void append(std::string_view bytes);
  // The next whole frame, or nothing when more bytes are needed. An error is final.
  Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  size_t begin_ = 0;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_FRAME_H_
