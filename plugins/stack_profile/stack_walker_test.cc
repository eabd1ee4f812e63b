// Walking this process's own code with stacks that no program would leave.
#include "plugins/stack_profile/stack_walker.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <random>
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

}  // namespace
}  // namespace plumb::stack_profile
