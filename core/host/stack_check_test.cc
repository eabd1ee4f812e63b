#include <gtest/gtest.h>

#include <limits>

#include "core/host/protocol.h"
#include "core/host/signal_check.h"
#include "core/host/wire.h"

namespace plumb::host {
namespace {

constexpr int64_t kStacksBegin = 1'000;
constexpr int64_t kStacksNow = 50'000;

StackBatch a_batch() {
  return {{},
          "on_cpu",
          "seconds",
          "Time on a processor",
          PLUMB_LAYER_APP,
          kStacksBegin,
          kStacksNow,
          {{"shop;main;päckchen", 0.25}, {"shop;main;poll wait", 1.5}}};
}

Status with_stack(const std::string& frames, double weight = 1) {
  StackBatch batch = a_batch();
  batch.stacks.push_back({frames, weight});
  return check_stacks(batch);
}

std::string repeated(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(StackCheckTest, WhatAPluginMaySayIsTaken) {
  EXPECT_TRUE(check_stacks(a_batch()).is_ok());
  StackBatch empty = a_batch();
  empty.stacks.clear();
  EXPECT_TRUE(check_stacks(empty).is_ok()) << "it looked, and saw nothing";
  EXPECT_TRUE(with_stack("x" + repeated(";x", kMaxFrames - 1)).is_ok());
  EXPECT_TRUE(with_stack(std::string(kMaxFramesBytes, 'x')).is_ok());
}

TEST(StackCheckTest, WeightsAreFiniteAndAboveZero) {
  for (const double weight :
       {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan(""), 2 * kMaxWeight}) {
    EXPECT_FALSE(with_stack("a", weight)) << weight;
  }
}

TEST(StackCheckTest, FramesAreTextWithNames) {
  EXPECT_FALSE(with_stack(""));
  EXPECT_FALSE(with_stack(";a"));
  EXPECT_FALSE(with_stack("a;"));
  EXPECT_FALSE(with_stack("a;;b"));
  EXPECT_FALSE(with_stack("a\nb"));
  EXPECT_FALSE(with_stack("a\x1b[31m"));
  EXPECT_FALSE(with_stack("a\xff"));
  EXPECT_FALSE(with_stack("x" + repeated(";x", kMaxFrames)));
  EXPECT_FALSE(with_stack(std::string(kMaxFramesBytes + 1, 'x')));
}

TEST(StackCheckTest, AProfileHasANameAUnitALayerAndAnOrderedTime) {
  const auto with = [](auto&& change) {
    StackBatch batch = a_batch();
    change(batch);
    return check_stacks(batch);
  };
  EXPECT_FALSE(with([](StackBatch& b) { b.profile = "On CPU"; }));
  EXPECT_FALSE(with([](StackBatch& b) { b.profile = ""; }));
  EXPECT_FALSE(with([](StackBatch& b) { b.unit = "parsecs"; }));
  EXPECT_FALSE(with([](StackBatch& b) { b.layer = PLUMB_LAYER_HOST + 1; }));
  EXPECT_FALSE(with([](StackBatch& b) { b.help = std::string(kMaxText + 1, 'x'); }));
  EXPECT_FALSE(with([](StackBatch& b) { b.help = "\xff"; }));
  EXPECT_FALSE(with([](StackBatch& b) { std::swap(b.start_ns, b.end_ns); }));
}

TEST(StackCheckTest, MoreThanAnEmissionMayHaveIsALimitAndNoMistake) {
  StackBatch many = a_batch();
  many.stacks.assign(kMaxStacks + 1, {"a", 1});
  EXPECT_EQ(check_stacks(many).code(), PLUMB_RESOURCE_EXHAUSTED);
  StackBatch large = a_batch();
  large.stacks.assign(kMaxStackBytes / 10'000 + 1, {std::string(10'000, 'x'), 1});
  EXPECT_EQ(check_stacks(large).code(), PLUMB_RESOURCE_EXHAUSTED);
}

TEST(StackCheckTest, ProfilesKeepTheirUnitAndTheirOrder) {
  SignalCheck check(kStacksBegin);
  StackBatch batch = a_batch();
  EXPECT_TRUE(check.stacks_order(batch, kStacksNow).is_ok());
  EXPECT_TRUE(check.stacks_order(batch, kStacksNow).is_ok()) << "two parts of one stretch";
  batch.end_ns -= 1;
  EXPECT_FALSE(check.stacks_order(batch, kStacksNow)) << "ends before the last one";
  batch = a_batch();
  batch.unit = "bytes";
  EXPECT_FALSE(check.stacks_order(batch, kStacksNow));
  batch = a_batch();
  batch.start_ns = kStacksBegin - 1;
  EXPECT_FALSE(check.stacks_order(batch, kStacksNow)) << "before the plugin began";
  batch = a_batch();
  batch.end_ns = kStacksNow + kClockSlackNs + 1;
  EXPECT_FALSE(check.stacks_order(batch, kStacksNow)) << "in the future";
  for (size_t i = 1; i < kMaxProfiles; ++i) {
    batch = a_batch();
    batch.profile = "p" + std::to_string(i);
    EXPECT_TRUE(check.stacks_order(batch, kStacksNow).is_ok());
  }
  batch.profile = "one_too_many";
  EXPECT_EQ(check.stacks_order(batch, kStacksNow).code(), PLUMB_RESOURCE_EXHAUSTED);
}

TEST(CleanFramesTest, LongStacksAreCutAtTheOuterEnd) {
  const std::string deep = clean_frames("outer;" + repeated("x;", kMaxFrames - 1) + "inner");
  EXPECT_TRUE(deep.starts_with("x;"));
  EXPECT_TRUE(deep.ends_with(";inner"));
  EXPECT_TRUE(with_stack(deep).is_ok());
  const std::string wide = clean_frames(repeated(std::string(300, 'o') + ";", 100) + "inner");
  EXPECT_LE(wide.size(), kMaxFramesBytes);
  EXPECT_GT(wide.size(), kMaxFramesBytes - 400);
  EXPECT_EQ(wide.substr(0, 3), "ooo");
  EXPECT_EQ(wide.find(';'), 300u) << "whole frames only";
  EXPECT_TRUE(wide.ends_with(";inner"));
  // A name that alone is too long keeps its begin.
  const std::string one = clean_frames("outer;i" + std::string(2 * kMaxFramesBytes, 'n'));
  EXPECT_EQ(one, "i" + std::string(kMaxFramesBytes - 1, 'n'));
}

TEST(CleanFramesTest, HostileNamesBecomeText) {
  EXPECT_EQ(clean_frames("a\nb;c\td;\x1b[0m\x7f"), "a?b;c?d;?[0m?");
  EXPECT_EQ(clean_frames("a\xff;b\xc0\xaf"), "a?;b??");
  EXPECT_EQ(clean_frames(";;a;;b;"), "a;b");
  EXPECT_EQ(clean_frames(""), "");
  EXPECT_EQ(clean_frames(";;;"), "");
  EXPECT_EQ(clean_frames("päckchen;日本語"), "päckchen;日本語");
}

TEST(StackProtocolTest, StacksComeBackAsTheyWereSent) {
  const auto frame = encode(a_batch());
  ASSERT_TRUE(frame.is_ok()) << frame.status().message();
  const auto batch = decode_stacks(std::string_view(*frame).substr(kFrameHeader));
  ASSERT_TRUE(batch.is_ok()) << batch.status().message();
  EXPECT_EQ(batch->profile, "on_cpu");
  EXPECT_EQ(batch->unit, "seconds");
  EXPECT_EQ(batch->help, "Time on a processor");
  EXPECT_EQ(batch->layer, uint32_t{PLUMB_LAYER_APP});
  EXPECT_EQ(batch->end_ns, kStacksNow);
  ASSERT_EQ(batch->stacks.size(), 2u);
  EXPECT_EQ(batch->stacks[1].frames, "shop;main;poll wait");
  EXPECT_EQ(batch->stacks[1].weight, 1.5);
}

TEST(StackProtocolTest, TheLargestEmissionFitsAFrame) {
  StackBatch batch = a_batch();
  batch.stacks.assign(kMaxStacks, {std::string(kMaxStackBytes / kMaxStacks, 'x'), 1});
  const auto frame = encode(batch);
  ASSERT_TRUE(frame.is_ok()) << frame.status().message();
  EXPECT_LE(frame->size(), kFrameHeader + kMaxPayload);
  EXPECT_TRUE(decode_stacks(std::string_view(*frame).substr(kFrameHeader)).is_ok());
}

TEST(StackProtocolTest, TornAndForgedStacksAreRefused) {
  const std::string whole = encode(a_batch())->substr(kFrameHeader);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_stacks(std::string_view(whole).substr(0, size)).is_ok()) << size;
  }
  EXPECT_FALSE(decode_stacks(whole + "x").is_ok());
  std::string many = whole;
  // The count stands behind layer, times and the three texts.
  const size_t at = 20 + (2 + 6) + (2 + 7) + (2 + 19);
  const uint32_t huge = std::numeric_limits<uint32_t>::max();
  std::memcpy(many.data() + at, &huge, sizeof(huge));
  EXPECT_FALSE(decode_stacks(many).is_ok());
  std::string forged = whole;
  const double nothing = 0;
  std::memcpy(forged.data() + at + 4, &nothing, sizeof(nothing));
  EXPECT_FALSE(decode_stacks(forged).is_ok());
}

}  // namespace
}  // namespace plumb::host
