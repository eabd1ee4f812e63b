// Walking this process's own code with stacks that no program would leave.
#include "plugins/stack_profile/stack_walker.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "plugins/stack_profile/function_name.h"

namespace plumb::stack_profile {
namespace {

TEST(StackWalker, GarbageForRegistersAndStackGivesABoundedChain) {
  proc::Buffer buffer;
  TracedProcess process(proc::Root{}, ::getpid(), 1);
  ASSERT_TRUE(process.load(buffer));
  ASSERT_FALSE(process.space().all().empty());
  Symbolizer symbolizer;
  StackWalker walker(symbolizer, Unwind::kDwarf);
  std::mt19937_64 random(1);
  const auto& mappings = process.space().all();
  const auto in_code = [&] {
    const Mapping& mapping = mappings[random() % mappings.size()];
    return mapping.start + random() % (mapping.end - mapping.start);
  };
  std::vector<uint64_t> words(512);
  Record sample;
  sample.has_registers = true;
  for (int i = 0; i < 5000; ++i) {
    // Addresses of code, of the stack itself, and anything.
    const uint64_t stack = random() & ~7ull;
    const auto word = [&]() -> uint64_t {
      const uint64_t kind = random() % 4;
      if (kind == 0) return stack + random() % (words.size() * 8);
      return kind == 1 ? random() : in_code();
    };
    for (uint64_t& w : words) w = word();
    for (uint64_t& r : sample.registers) r = word();
    sample.registers[kStackPointerRegister] = stack;
    sample.registers[kInstructionRegister] = in_code();
    const size_t bytes = random() % (words.size() * 8 + 1);
    sample.stack = Bytes(reinterpret_cast<const std::byte*>(words.data()), bytes);
    sample.user_chain = {sample.registers[kInstructionRegister], random()};
    const auto& chain = walker.walk(process, sample);
    ASSERT_GE(chain.size(), 1u);
    ASSERT_LE(chain.size(), StackWalker::kMostFrames);
    for (const uint64_t address : chain) (void)symbolizer.user_frame(process, address, true);
  }
}

// This function's own address, through everything that gives it a name.
TEST(Symbolizer, NamesAFunctionOfThisProgramAndOfTheVdso) {
  proc::Buffer buffer;
  TracedProcess process(proc::Root{}, ::getpid(), 1);
  ASSERT_TRUE(process.load(buffer));
  Symbolizer symbolizer;
  const auto address = reinterpret_cast<uint64_t>(&demangle);
  const Frame& own = symbolizer.frame(symbolizer.user_frame(process, address, false));
  EXPECT_EQ(own.function, "plumb::stack_profile::demangle");
  EXPECT_EQ(own.module, "stack_profile_test");
  for (const Mapping& mapping : process.space().all()) {
    if (mapping.path != "[vdso]") continue;
    ElfImage* vdso = symbolizer.image(process, mapping);
    ASSERT_NE(vdso, nullptr);
    EXPECT_GT(vdso->symbol_count(), 0u);
  }
}

// A sample of this process that is walked by tables.
Record sample_of(const TracedProcess& process, const std::vector<uint64_t>& words) {
  Record sample;
  sample.has_registers = true;
  sample.registers[kStackPointerRegister] = 0x7000;
  sample.registers[kInstructionRegister] = process.space().all().front().start + 64;
  sample.stack = std::as_bytes(std::span(words));
  return sample;
}

TEST(StackWalker, ProcessesWithTheSameFilesAtTheSamePlacesHaveOneUnwinder) {
  proc::Buffer buffer;
  Symbolizer symbolizer;
  StackWalker walker(symbolizer, Unwind::kDwarf);
  const std::vector<uint64_t> words(64);
  TracedProcess parent(proc::Root{}, ::getpid(), 1);
  ASSERT_TRUE(parent.load(buffer));
  for (uint32_t child = 2; child < 502; ++child) {
    TracedProcess process(proc::Root{}, ::getpid(), child);
    process.inherit(parent);
    (void)walker.walk(process, sample_of(process, words));
  }
  EXPECT_EQ(walker.unwinders_made(), 1u);
}

TEST(StackWalker, UnwindersAreMadeOnceAndGoWhenTheyAreNotUsed) {
  proc::Buffer buffer;
  Symbolizer symbolizer;
  StackWalker walker(symbolizer, Unwind::kDwarf);
  const std::vector<uint64_t> words(64);
  TracedProcess own(proc::Root{}, ::getpid(), 1);
  ASSERT_TRUE(own.load(buffer));
  Mapping code = own.space().all().front();
  std::vector<std::unique_ptr<TracedProcess>> processes;
  for (uint32_t i = 0; i < StackWalker::kMostUnwinders; ++i) {
    // The same file, elsewhere in each.
    processes.push_back(std::make_unique<TracedProcess>(proc::Root{}, ::getpid(), i + 1));
    processes.back()->inherit(own);
    Mapping moved = code;
    moved.start = 0x10000000 + 0x10000000ull * i;
    moved.end = moved.start + (code.end - code.start);
    processes.back()->space().insert(moved);
  }
  for (int interval = 0; interval < 3; ++interval) {
    for (const auto& process : processes) (void)walker.walk(*process, sample_of(*process, words));
    walker.end_interval();
  }
  EXPECT_EQ(walker.unwinders_made(), StackWalker::kMostUnwinders);
  EXPECT_FALSE(walker.held_images().empty());
  // One more takes the place of the one that was used longest ago.
  TracedProcess more(proc::Root{}, ::getpid(), 9999);
  more.inherit(own);
  (void)walker.walk(more, sample_of(more, words));
  EXPECT_EQ(walker.unwinders(), StackWalker::kMostUnwinders);
  (void)walker.walk(*processes.back(), sample_of(*processes.back(), words));
  EXPECT_EQ(walker.unwinders_made(), StackWalker::kMostUnwinders + 1);
  for (int interval = 0; interval < 3; ++interval) walker.end_interval();
  EXPECT_EQ(walker.unwinders(), 0u);
  EXPECT_TRUE(walker.held_images().empty());
}

}  // namespace
}  // namespace plumb::stack_profile
