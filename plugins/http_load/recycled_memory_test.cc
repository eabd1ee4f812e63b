#include "plugins/http_load/recycled_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <set>

namespace plumb::http_load {
namespace {

TEST(RecycledMemory, GivesOutAgainWhatCameBack) {
  RecycledMemory memory;
  void* first = memory.take(100);
  void* second = memory.take(100);
  EXPECT_NE(second, first);
  memory.give_back(first);
  EXPECT_EQ(memory.take(120), first) << "the same number of steps";
  memory.give_back(first);
  memory.give_back(second);
}

TEST(RecycledMemory, WhatIsInUseDoesNotOverlap) {
  RecycledMemory memory;
  std::set<void*> taken;
  for (size_t size = 0; size < 5'000; size += 37) {
    void* block = memory.take(size);
    EXPECT_TRUE(taken.insert(block).second);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignof(std::max_align_t), 0u);
    std::memset(block, 0x5a, size);
  }
  for (void* block : taken) memory.give_back(block);
  memory.give_back(nullptr);
}

TEST(RecycledMemory, ResizingKeepsWhatIsThere) {
  RecycledMemory memory;
  auto* text = static_cast<char*>(memory.resize(nullptr, 10));
  std::strcpy(text, "kept");
  for (const size_t size : {60, 600, 6'000, 60'000, 6}) {
    text = static_cast<char*>(memory.resize(text, size));
    EXPECT_STREQ(text, "kept") << size;
  }
  memory.give_back(text);
}

TEST(RecycledMemory, RefusesSizesThatOverflow) {
  RecycledMemory memory;
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  EXPECT_EQ(memory.take(kAll), nullptr);
  EXPECT_EQ(memory.callbacks()->calloc(kAll / 2, 4, &memory), nullptr);
  auto* zeroed = static_cast<char*>(memory.callbacks()->calloc(3, 5, &memory));
  EXPECT_EQ(std::string_view(zeroed, 15), std::string_view(std::string(15, '\0')));
  memory.give_back(zeroed);
}

}  // namespace
}  // namespace plumb::http_load
