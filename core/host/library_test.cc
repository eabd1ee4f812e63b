#include "core/host/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <plumb/plugin.hpp>

namespace plumb::host {
namespace {

using ::testing::HasSubstr;

class Nothing final : public Sampler {
 public:
  using Sampler::Sampler;
  Status collect() override { return Status::ok(); }
};

constexpr std::array<const char*, 3> kNeeds = {"network", "proc", nullptr};
constexpr std::array<const char*, 3> kOneOf = {"a", "b", nullptr};
constexpr plumb_option kOptions[] = {
    option({.key = "first", .default_value = "a", .one_of = kOneOf.data(), .help = "One"}),
    option({.type = PLUMB_OPTION_SIZE, .key = "second", .secret = true, .help = "Two"}),
};

class ReadTableTest : public ::testing::Test {
 protected:
  ReadTableTest()
      : descriptor_(detail::descriptor(PLUMB_ROLE_SAMPLER, {.name = "nothing",
                                                            .version = "1.0.0",
                                                            .summary = "Samples nothing",
                                                            .options = kOptions,
                                                            .option_count = 2,
                                                            .needs = kNeeds.data()})),
        table_(detail::Thunks<Nothing>::table(&descriptor_)) {}
  Status read() { return read_table(&table_, known_).status(); }

  plumb_descriptor descriptor_;
  plumb_plugin table_;
  plumb_plugin known_{};
};

TEST_F(ReadTableTest, FillsTheManifest) {
  const auto manifest = read_table(&table_, known_);
  ASSERT_TRUE(manifest.is_ok()) << manifest.status().message();
  EXPECT_EQ(manifest->name, "nothing");
  EXPECT_EQ(manifest->needs, (std::vector<std::string>{"network", "proc"}));
  ASSERT_EQ(manifest->options.size(), 2u);
  EXPECT_EQ(manifest->options[0].one_of, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(manifest->options[1].type, uint32_t{PLUMB_OPTION_SIZE});
  EXPECT_TRUE(manifest->options[1].secret);
  EXPECT_EQ(known_.collect, table_.collect);
}

TEST_F(ReadTableTest, ALongerTableOfANewerPluginIsTaken) {
  alignas(plumb_plugin) std::array<char, sizeof(plumb_plugin) + 64> longer;
  longer.fill('x');
  table_.struct_size = longer.size();
  table_.abi_minor = PLUMB_ABI_MINOR + 3;
  std::memcpy(longer.data(), &table_, sizeof(table_));
  const auto manifest = read_table(reinterpret_cast<const plumb_plugin*>(longer.data()), known_);
  ASSERT_TRUE(manifest.is_ok()) << manifest.status().message();
  EXPECT_EQ(manifest->abi_minor, uint32_t{PLUMB_ABI_MINOR + 3});
}

TEST_F(ReadTableTest, OptionsOfANewerHeaderAreReadByTheirOwnStride) {
  struct Longer {
    plumb_option option;
    uint64_t more;
  };
  Longer options[] = {{kOptions[0], 1}, {kOptions[1], 2}};
  for (Longer& o : options) o.option.struct_size = sizeof(Longer);
  descriptor_.options = &options[0].option;
  const auto manifest = read_table(&table_, known_);
  ASSERT_TRUE(manifest.is_ok()) << manifest.status().message();
  EXPECT_EQ(manifest->options[1].key, "second");
}

TEST_F(ReadTableTest, NoTableIsRefused) { EXPECT_FALSE(read_table(nullptr, known_).is_ok()); }

TEST_F(ReadTableTest, AnImpossibleSizeIsRefusedBeforeAnythingElseIsRead) {
  table_.descriptor = reinterpret_cast<const plumb_descriptor*>(uintptr_t{8});
  for (const uint32_t size : {0u, 4u, 24u, 1u << 20, 0xFFFFFFFFu}) {
    table_.struct_size = size;
    EXPECT_THAT(read().message(), HasSubstr("rebuild the plugin")) << size;
  }
}

TEST_F(ReadTableTest, APluginThatNeedsANewerHostIsRefusedWithWhatToDo) {
  table_.least_host_minor = PLUMB_ABI_MINOR + 1;
  EXPECT_EQ(read().code(), PLUMB_UNSUPPORTED);
  EXPECT_THAT(read().message(), HasSubstr("install a newer plumb"));
}

TEST_F(ReadTableTest, WhatIsMissingOrWrongIsNamed) {
  table_.destroy = nullptr;
  EXPECT_THAT(read().message(), HasSubstr("create, configure, start, stop, destroy"));
  table_.destroy = known_.destroy;
  table_ = detail::Thunks<Nothing>::table(&descriptor_);
  table_.collect = nullptr;
  EXPECT_THAT(read().message(), HasSubstr("needs collect"));
  descriptor_.role = 9;
  EXPECT_THAT(read().message(), HasSubstr("no role 9"));
  descriptor_.name = "No Name";
  EXPECT_THAT(read().message(), HasSubstr("[a-z][a-z0-9_]*"));
  descriptor_.struct_size = 3;
  EXPECT_THAT(read().message(), HasSubstr("descriptor says it is 3 bytes"));
  table_.descriptor = nullptr;
  EXPECT_THAT(read().message(), HasSubstr("no descriptor"));
}

TEST_F(ReadTableTest, OptionsThatAreNoneAreRefused) {
  plumb_option options[] = {kOptions[0], kOptions[1]};
  descriptor_.options = options;
  options[1].key = "first";
  EXPECT_THAT(read().message(), HasSubstr("option first is there twice"));
  options[1].key = "Second";
  EXPECT_THAT(read().message(), HasSubstr("key of an option"));
  options[1].key = "second";
  options[1].type = 8;
  EXPECT_THAT(read().message(), HasSubstr("unknown type 8"));
  descriptor_.options = nullptr;
  EXPECT_THAT(read().message(), HasSubstr("option table is missing"));
}

TEST(LibraryTest, AFileThatIsNoLibraryIsRefusedWithTheLinkersReason) {
  const auto library = Library::open(PLUMB_SOURCE_DIR "/CMakeLists.txt");
  ASSERT_FALSE(library.is_ok());
  EXPECT_THAT(library.status().message(), HasSubstr("CMakeLists.txt cannot be loaded: "));
  EXPECT_THAT(library.status().message(), HasSubstr("invalid ELF header"));
}

TEST(LibraryTest, AMissingFileIsSaid) {
  EXPECT_EQ(Library::open("/nonexistent/x.so").status().code(), PLUMB_NOT_FOUND);
}

}  // namespace
}  // namespace plumb::host
