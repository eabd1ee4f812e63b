#include "core/host/frame.h"

#include <gtest/gtest.h>

#include "core/host/wire.h"

namespace plumb::host {
namespace {

TEST(FrameTest, FramesSurviveBeingCutAnywhere) {
  const std::string stream = encode_frame(FrameType::kLog, "one") +
                             encode_frame(FrameType::kInterrupt, "") +
                             encode_frame(FrameType::kSamples, std::string(70'000, 's'));
  for (const size_t piece : {size_t{1}, size_t{5}, size_t{4'096}, stream.size()}) {
    FrameReader reader;
    std::vector<std::pair<FrameType, std::string>> got;
    for (size_t at = 0; at < stream.size(); at += piece) {
      reader.append(std::string_view(stream).substr(at, piece));
      while (true) {
        const auto frame = reader.next();
        ASSERT_TRUE(frame.is_ok());
        if (!frame->has_value()) break;
        got.emplace_back((*frame)->type, (*frame)->payload);
      }
    }
    ASSERT_EQ(got.size(), 3u) << "in pieces of " << piece;
    EXPECT_EQ(got[0], std::pair(FrameType::kLog, std::string("one")));
    EXPECT_EQ(got[1], std::pair(FrameType::kInterrupt, std::string()));
    EXPECT_EQ(got[2].second.size(), 70'000u);
  }
}

TEST(FrameTest, ALengthAboveTheLimitIsRefusedBeforeAnythingIsBuffered) {
  std::string bytes;
  put(bytes, static_cast<uint32_t>(kMaxPayload + 1));
  FrameReader reader;
  reader.append(bytes);
  EXPECT_FALSE(reader.next().is_ok());
}

TEST(FrameTest, AnUnknownTypeIsRefused) {
  for (const uint16_t type :
       {uint16_t{0}, uint16_t{9}, uint16_t{63}, uint16_t{77}, uint16_t{65535}}) {
    std::string bytes;
    put(bytes, uint32_t{0});
    put(bytes, type);
    FrameReader reader;
    reader.append(bytes);
    EXPECT_FALSE(reader.next().is_ok()) << type;
  }
}

}  // namespace
}  // namespace plumb::host
