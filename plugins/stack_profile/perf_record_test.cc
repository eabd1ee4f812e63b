#include "plugins/stack_profile/perf_record.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "plugins/stack_profile/record_builder.h"

namespace plumb::stack_profile {
namespace {

std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

// Captured on Linux 6.18: a sample with 64 bytes of stack, and what tells of an exec.
const std::vector<std::byte> kSample = from_hex(
    "090000000200480140220000000000000e8d527a28560000be090000be090000ee6181a65b22000012219a00000000"
    "00"
    "060000000000000000feffffffffffff0e8d527a285600007c91527a285600007090527a285600008f84527a285600"
    "00"
    "4a52c4bb177f00000200000000000000e9a7ba7336669a70402c3424416488184e7f0300000000000020fdf068d0cb"
    "36"
    "0000000000000000e0930400000000003049dd66fc7f00003049dd66fc7f00000e8d527a2856000000000000000000"
    "00"
    "0000000000000000000000000000000000000000000000006049dd66fc7f0000bfbe0e3a0000000090930000000000"
    "00"
    "204025bc177f000040000000000000004049dd66fc7f00007c91527a285600009049dd66fc7f00007090527a285600"
    "00"
    "00000000000000009a9999999999b93fe093040000000000c0d4cf01000000004000000000000000");
const std::vector<std::byte> kMmap = from_hex(
    "0a00000002009000be090000be090000002022bc177f000000600200000000000010000000000000fe000000000000"
    "00"
    "5f12050000000000000000000000000005000000020000002f7573722f6c69622f7838365f36342d6c696e75782d67"
    "6e"
    "752f6c642d6c696e75782d7838362d36342e736f2e320000be090000be090000ee510aa35b22000040220000000000"
    "00");
const std::vector<std::byte> kExec = from_hex(
    "0300000000203800be090000be090000686f745f776974685f6672616d657300be090000be0900004ce009a35b2200"
    "00"
    "4022000000000000");
const std::vector<std::byte> kFork = from_hex(
    "0700000000003800be090000bc090000be090000bc090000063007a35b220000bc090000bc090000142f07a35b2200"
    "00"
    "4022000000000000");
const std::vector<std::byte> kPreempted =
    from_hex("0e00000000602000be090000be09000086dc11a35b2200004122000000000000");

TEST(PerfRecord, ACapturedSampleIsReadWithChainRegistersAndStack) {
  Record record;
  ASSERT_TRUE(decode(kSample, true, record));
  EXPECT_EQ(record.kind, Record::Kind::kSample);
  EXPECT_EQ(record.id, 0x2240u);
  EXPECT_EQ(record.pid, 0x9be);
  EXPECT_EQ(record.time_ns, 0x225ba68161eeull);
  EXPECT_EQ(record.period, 10101010u);
  EXPECT_EQ(record.user_chain,
            (std::vector<uint64_t>{0x56287a528d0e, 0x56287a52917c, 0x56287a529070, 0x56287a52848f,
                                   0x7f17bbc4524a}));
  EXPECT_TRUE(record.kernel_chain.empty());
#if defined(__x86_64__)
  ASSERT_TRUE(record.has_registers);
  EXPECT_EQ(record.registers[kInstructionRegister], 0x56287a528d0eu);
  EXPECT_EQ(record.registers[kStackPointerRegister], 0x7ffc66dd4930u);
  EXPECT_EQ(record.registers[kFramePointerRegister], 0x7ffc66dd4930u);
#endif
  ASSERT_EQ(record.stack.size(), 64u);
  uint64_t second = 0;
  std::memcpy(&second, record.stack.data() + 8, sizeof(second));
  EXPECT_EQ(second, record.user_chain[1]);  // where the innermost frame returns to
}

TEST(PerfRecord, CapturedRecordsOfAnExecAreRead) {
  Record record;
  ASSERT_TRUE(decode(kFork, true, record));
  EXPECT_EQ(record.kind, Record::Kind::kFork);
  EXPECT_EQ(record.tid, 0x9be);
  EXPECT_EQ(record.parent_tid, 0x9bc);
  ASSERT_TRUE(decode(kExec, true, record));
  EXPECT_EQ(record.kind, Record::Kind::kComm);
  EXPECT_TRUE(record.exec);
  EXPECT_EQ(record.text, "hot_with_frames");
  ASSERT_TRUE(decode(kMmap, true, record));
  EXPECT_EQ(record.kind, Record::Kind::kMmap);
  EXPECT_EQ(record.address, 0x7f17bc222000u);
  EXPECT_EQ(record.length, 0x26000u);
  EXPECT_EQ(record.offset, 0x1000u);
  EXPECT_EQ(record.inode, 0x5125fu);
  EXPECT_TRUE(record.executable);
  EXPECT_EQ(record.text, "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  ASSERT_TRUE(decode(kPreempted, true, record));
  EXPECT_EQ(record.kind, Record::Kind::kSwitch);
  EXPECT_TRUE(record.out);
  EXPECT_TRUE(record.preempted);
  EXPECT_EQ(record.tid, 0x9be);
}

TEST(PerfRecord, KernelAndUserPartsOfAChainAreKeptApart) {
  Record record;
  ASSERT_TRUE(decode(sample_record(7, 1, 2, 3, 4, {10, 11}, {20, 21, 22}), false, record));
  EXPECT_EQ(record.kernel_chain, (std::vector<uint64_t>{10, 11}));
  EXPECT_EQ(record.user_chain, (std::vector<uint64_t>{20, 21, 22}));
  EXPECT_FALSE(record.has_registers);
  // Nothing of the one before is left.
  ASSERT_TRUE(decode(sample_record(7, 1, 2, 3, 4, {}, {30}), false, record));
  EXPECT_TRUE(record.kernel_chain.empty());
  EXPECT_EQ(record.user_chain, (std::vector<uint64_t>{30}));
}

TEST(PerfRecord, WhatTheHypervisorOrAGuestDidIsLeftOut) {
  const auto bytes = RecordBuilder(PERF_RECORD_SAMPLE, 0)
                         .add<uint64_t>(1)
                         .add<uint64_t>(0)
                         .add<Pid>(1)
                         .add<Pid>(1)
                         .add<uint64_t>(5)
                         .add<uint64_t>(6)
                         .add<uint64_t>(4)
                         .add(static_cast<uint64_t>(PERF_CONTEXT_GUEST))
                         .add<uint64_t>(66)
                         .add(static_cast<uint64_t>(PERF_CONTEXT_USER))
                         .add<uint64_t>(77)
                         .bytes();
  Record record;
  ASSERT_TRUE(decode(bytes, false, record));
  EXPECT_EQ(record.user_chain, (std::vector<uint64_t>{77}));
  EXPECT_TRUE(record.kernel_chain.empty());
}

TEST(PerfRecord, TornRecordsAreRefusedAtEveryLength) {
  Record record;
  for (const auto* whole : {&kSample, &kMmap, &kExec, &kFork, &kPreempted}) {
    for (size_t length = 0; length < whole->size(); ++length) {
      EXPECT_FALSE(decode(Bytes(*whole).first(length), true, record)) << length;
    }
  }
}

TEST(PerfRecord, ARecordThatClaimsToBeShorterThanItIsIsRefused) {
  for (size_t length = 8; length < kSample.size(); length += 8) {
    std::vector<std::byte> bytes(kSample.begin(), kSample.begin() + static_cast<long>(length));
    const auto size = static_cast<uint16_t>(length);
    std::memcpy(bytes.data() + 6, &size, sizeof(size));
    Record record;
    EXPECT_FALSE(decode(bytes, true, record)) << length;
  }
}

TEST(PerfRecord, HostileCountsAreRefused) {
  Record record;
  std::vector<std::byte> bytes = kSample;
  constexpr size_t kChainLength = 8 + 5 * 8;
  for (const uint64_t count : {UINT64_MAX, uint64_t{1} << 61, uint64_t{4096}, uint64_t{100}}) {
    std::memcpy(bytes.data() + kChainLength, &count, sizeof(count));
    EXPECT_FALSE(decode(bytes, true, record)) << count;
  }
  // More of the stack used than was copied.
  bytes = kSample;
  const uint64_t used = 65;
  std::memcpy(bytes.data() + bytes.size() - 8, &used, sizeof(used));
  ASSERT_TRUE(decode(bytes, true, record));
  EXPECT_TRUE(record.stack.empty());
  // A mapping that ends beyond all addresses.
  bytes = kMmap;
  const uint64_t length = UINT64_MAX;
  std::memcpy(bytes.data() + 8 + 16, &length, sizeof(length));
  EXPECT_FALSE(decode(bytes, true, record));
}

TEST(PerfRecord, UnknownRecordsArePassedOver) {
  Record record;
  ASSERT_TRUE(
      decode(RecordBuilder(77, 0).add<uint64_t>(1).trailer(1, 1, 5, 6).bytes(), true, record));
  EXPECT_EQ(record.kind, Record::Kind::kOther);
}

TEST(PerfRecord, LostRecordsAreCounted) {
  Record record;
  const auto bytes = RecordBuilder(PERF_RECORD_LOST, 0)
                         .add<uint64_t>(9)
                         .add<uint64_t>(1234)
                         .trailer(1, 1, 5, 6)
                         .bytes();
  ASSERT_TRUE(decode(bytes, true, record));
  EXPECT_EQ(record.kind, Record::Kind::kLost);
  EXPECT_EQ(record.id, 9u);
  EXPECT_EQ(record.lost, 1234u);
}

}  // namespace
}  // namespace plumb::stack_profile
