#include "plugins/stack_profile/ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

#include "plugins/stack_profile/elf_image.h"
#include "plugins/stack_profile/fake_kernel.h"
#include "plugins/stack_profile/record_builder.h"

namespace plumb::stack_profile {
namespace {

// Writes bytes at a running position, as the kernel does.
void write_at(std::vector<std::byte>& ring, uint64_t position,
              const std::vector<std::byte>& bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) ring[(position + i) % ring.size()] = bytes[i];
}

TEST(Ring, RecordsAreFoundOneAfterAnotherAndAroundTheEnd) {
  std::vector<std::byte> ring(256);
  const auto first = switch_record(true, false, 1, 1, 10);
  const auto second = switch_record(false, false, 1, 1, 20);
  const uint64_t begin = 5 * 256 - 40;  // the second wraps
  write_at(ring, begin, first);
  write_at(ring, begin + first.size(), second);
  const uint64_t end = begin + first.size() + second.size();

  RecordPlace place;
  bool damaged = false;
  std::vector<std::byte> scratch;
  ASSERT_TRUE(record_at(ring, begin, end, place, damaged));
  const Bytes one = record_bytes(ring, place, scratch);
  EXPECT_TRUE(std::equal(one.begin(), one.end(), first.begin(), first.end()));
  ASSERT_TRUE(record_at(ring, begin + place.size, end, place, damaged));
  const Bytes two = record_bytes(ring, place, scratch);
  EXPECT_TRUE(std::equal(two.begin(), two.end(), second.begin(), second.end()));
  EXPECT_FALSE(record_at(ring, end, end, place, damaged));
  EXPECT_FALSE(damaged);
}

TEST(Ring, SizesThatCannotBeAreDamage) {
  std::vector<std::byte> ring(256);
  const auto good = switch_record(true, false, 1, 1, 10);
  RecordPlace place;
  for (const uint16_t size :
       {uint16_t{0}, uint16_t{4}, uint16_t{7}, uint16_t{33}, uint16_t{40}, uint16_t{65535}}) {
    write_at(ring, 0, good);
    std::memcpy(ring.data() + 6, &size, sizeof(size));
    bool damaged = false;
    EXPECT_FALSE(record_at(ring, 0, good.size(), place, damaged)) << size;
    EXPECT_TRUE(damaged) << size;
  }
  bool damaged = false;
  // More written than fits: the kernel would have overwritten what was not read.
  EXPECT_FALSE(record_at(ring, 0, 300, place, damaged));
  EXPECT_TRUE(damaged);
  // A header cut short.
  EXPECT_FALSE(record_at(ring, 0, 4, place, damaged));
  EXPECT_TRUE(damaged);
}

TEST(Rings, RecordsWithoutATimeAreVisitedAndDamageIsCounted) {
  FakeRing ring;
  const auto first = switch_record(true, false, 1, 1, 10);
  const auto second = switch_record(false, false, 1, 1, 20);
  ring.write(first);
  // A sound size, but no room for the time in it.
  const auto cut = RecordBuilder(PERF_RECORD_SWITCH, 0).add(uint64_t{0}).bytes();
  ring.write(cut);
  ring.write(second);
  const OwnedDescriptor descriptor(ring.descriptor());
  auto mapped = Ring::map(descriptor.get(), 64 * 1024);
  ASSERT_TRUE(mapped) << mapped.status().message();
  Rings rings;
  rings.add(std::move(mapped).value());
  std::vector<size_t> sizes;
  const auto visit = [&](Bytes bytes) { sizes.push_back(bytes.size()); };
  EXPECT_EQ(rings.drain(100, visit), 0u);
  EXPECT_EQ(sizes, (std::vector<size_t>{first.size(), cut.size(), second.size()}));
  // A size that cannot be: nothing behind it can be found.
  ring.write(RecordBuilder(PERF_RECORD_SWITCH, 0).add(uint32_t{0}).bytes());
  ring.write(second);
  EXPECT_EQ(rings.drain(100, visit), 12 + second.size());
  EXPECT_EQ(sizes.size(), 3u);
}

}  // namespace
}  // namespace plumb::stack_profile
