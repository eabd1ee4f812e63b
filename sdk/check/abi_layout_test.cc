// Holds the headers to the layouts that were released: sdk/check/abi/<major>.<minor>.txt for
// plumb/abi/plugin.h and <id>.<revision>.txt for each extension's header, one row per struct
// ("struct plumb_sample 24") and per field ("  value 16 8": offset, size).
//
// For a release with new fields: raise the minor or the revision, write the new file with
// PLUMB_WRITE_ABI=1 and commit it beside the old ones, which never change. What cannot be said by
// adding fields at the end is a new major, or an extension with a new id.
#include <gtest/gtest.h>
#include <plumb/abi/plugin.h>
#include <plumb/abi/rest.h>
#include <plumb/abi/stacks.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "sdk/check/abi_layout.h"

namespace {

namespace fs = std::filesystem;

const fs::path kReleased = PLUMB_SOURCE_DIR "/sdk/check/abi";

struct Field {
  std::string name;
  unsigned long offset;
  unsigned long size;
  bool operator==(const Field&) const = default;
};
struct Layout {
  unsigned long size = 0;
  std::vector<Field> fields = {};
};
using Layouts = std::map<std::string, Layout>;

Layouts of_rows(const plumb_layout_row* rows, size_t count) {
  Layouts out;
  for (size_t i = 0; i < count; ++i) {
    Layout& layout = out[rows[i].name];
    if (rows[i].field == nullptr) {
      layout.size = rows[i].size;
    } else {
      layout.fields.push_back({rows[i].field, rows[i].offset, rows[i].size});
    }
  }
  return out;
}

// As this C++ compiler lays the structs out.
#define PLUMB_STRUCT(name) {#name, nullptr, 0, sizeof(name)},
#define PLUMB_FIELD(name, field) {#name, #field, offsetof(name, field), sizeof(name::field)},
const plumb_layout_row kAbiRows[] = {PLUMB_ABI_LAYOUT};
const plumb_layout_row kStacksRows[] = {PLUMB_STACKS_LAYOUT};
const plumb_layout_row kRestRows[] = {PLUMB_REST_LAYOUT};
#undef PLUMB_STRUCT
#undef PLUMB_FIELD

// A header whose layouts are released.
struct Header {
  std::string name;  // of its files, but for the revision
  unsigned revision;
  const plumb_layout_row* in_c;
  size_t in_c_rows;
  const plumb_layout_row* in_cpp;
  size_t in_cpp_rows;

  Layouts present() const { return of_rows(in_cpp, in_cpp_rows); }
  fs::path file(unsigned of_revision) const {
    return kReleased / (name + "." + std::to_string(of_revision) + ".txt");
  }
};

const std::vector<Header>& headers() {
  static const std::vector<Header> all = {
      {std::to_string(PLUMB_ABI_MAJOR), PLUMB_ABI_MINOR, plumb_layout_in_c, plumb_layout_in_c_rows,
       kAbiRows, std::size(kAbiRows)},
      {PLUMB_STACKS_EXTENSION, PLUMB_STACKS_REVISION, plumb_stacks_layout_in_c,
       plumb_stacks_layout_in_c_rows, kStacksRows, std::size(kStacksRows)},
      {PLUMB_REST_EXTENSION, PLUMB_REST_REVISION, plumb_rest_layout_in_c,
       plumb_rest_layout_in_c_rows, kRestRows, std::size(kRestRows)}};
  return all;
}

std::string dump(const plumb_layout_row* rows, size_t count) {
  std::ostringstream out;
  for (size_t i = 0; i < count; ++i) {
    if (rows[i].field == nullptr) {
      out << "struct " << rows[i].name << ' ' << rows[i].size << '\n';
    } else {
      out << "  " << rows[i].field << ' ' << rows[i].offset << ' ' << rows[i].size << '\n';
    }
  }
  return out.str();
}

Layouts read(const fs::path& path) {
  Layouts out;
  std::ifstream in(path);
  Layout* layout = nullptr;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "struct") {
      std::string name;
      words >> name;
      layout = &out[name];
      words >> layout->size;
    } else if (layout != nullptr) {
      Field field{first, 0, 0};
      words >> field.offset >> field.size;
      layout->fields.push_back(field);
    }
  }
  return out;
}

bool is_frozen(const std::string& name) {
  return name == "plumb_label" || name == "plumb_sample" || name == "plumb_bucket" ||
         name == "plumb_stack";
}

TEST(AbiLayoutTest, EveryReleasedLayoutIsAPrefixOfThePresentOne) {
  for (const Header& header : headers()) {
    const Layouts now = header.present();
    for (unsigned revision = 0; revision <= header.revision; ++revision) {
      const Layouts then = read(header.file(revision));
      ASSERT_FALSE(then.empty()) << header.file(revision);
      for (const auto& [name, old] : then) {
        SCOPED_TRACE(name + " of " + header.name + "." + std::to_string(revision));
        ASSERT_TRUE(now.contains(name)) << "a struct is gone";
        const Layout& current = now.at(name);
        ASSERT_GE(current.fields.size(), old.fields.size()) << "a field is gone";
        for (size_t i = 0; i < old.fields.size(); ++i) {
          EXPECT_EQ(current.fields[i], old.fields[i]) << old.fields[i].name << " moved or changed";
        }
        EXPECT_GE(current.size, old.size);
        EXPECT_TRUE(current.size == old.size || !is_frozen(name)) << "a frozen struct grew";
      }
    }
  }
}

TEST(AbiLayoutTest, ThisReleaseIsPinned) {
  for (const Header& header : headers()) {
    const std::string text = dump(header.in_c, header.in_c_rows);
    const fs::path file = header.file(header.revision);
    if (std::getenv("PLUMB_WRITE_ABI") != nullptr) std::ofstream(file) << text;
    std::ifstream in(file);
    const std::string released{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(text, released) << "fields were added: raise the minor or the revision and write a "
                                 "new layout";
  }
}

TEST(AbiLayoutTest, CAndCppAgree) {
  for (const Header& header : headers()) {
    const Layouts c = of_rows(header.in_c, header.in_c_rows);
    const Layouts cpp = header.present();
    ASSERT_EQ(c.size(), cpp.size());
    for (const auto& [name, layout] : c) {
      EXPECT_EQ(layout.size, cpp.at(name).size) << name;
      EXPECT_EQ(layout.fields, cpp.at(name).fields) << name;
    }
  }
}

TEST(AbiLayoutTest, TheListsLeaveNoFieldOut) {
  for (const Header& header : headers()) {
    for (const auto& [name, layout] : header.present()) {
      unsigned long end = 0;
      for (const Field& field : layout.fields) {
        // Nothing but padding in front of it.
        EXPECT_LT(field.offset - end, alignof(std::max_align_t) / 2) << name << "." << field.name;
        end = field.offset + field.size;
      }
      EXPECT_LT(layout.size - end, alignof(void*)) << name << " ends with a field not listed";
    }
  }
}

TEST(AbiLayoutTest, StructsThatGrowBeginWithTheirSize) {
  for (const Header& header : headers()) {
    for (const auto& [name, layout] : header.present()) {
      if (is_frozen(name)) continue;
      EXPECT_EQ(layout.fields[0], (Field{"struct_size", 0, 4})) << name;
    }
  }
}

TEST(AbiLayoutTest, NumbersOfTheEnumsArePinned) {
  EXPECT_EQ(PLUMB_OK, 0);
  EXPECT_EQ(PLUMB_RESOURCE_EXHAUSTED, 6);
  EXPECT_EQ(PLUMB_INTERNAL, 9);
  EXPECT_EQ(PLUMB_ROLE_ANALYZER, 3);
  EXPECT_EQ(PLUMB_LAYER_HOST, 6);
  EXPECT_EQ(PLUMB_KIND_HISTOGRAM, 3);
  EXPECT_EQ(PLUMB_PART_BUSY, 5);
  EXPECT_EQ(PLUMB_OPTION_PATH, 7);
  EXPECT_EQ(PLUMB_HEALTH_DARK, 3);
  EXPECT_EQ(PLUMB_ERROR, 4);
  EXPECT_EQ(PLUMB_STAGE_COOLDOWN, 3);
}

TEST(AbiLayoutTest, WhatCrossesIsPlainData) {
  EXPECT_TRUE(std::is_standard_layout_v<plumb_plugin> && std::is_trivial_v<plumb_plugin>);
  EXPECT_TRUE(std::is_standard_layout_v<plumb_host> && std::is_trivial_v<plumb_host>);
  EXPECT_TRUE(std::is_standard_layout_v<plumb_histogram> && std::is_trivial_v<plumb_histogram>);
  EXPECT_TRUE(std::is_standard_layout_v<plumb_stacks> && std::is_trivial_v<plumb_stacks>);
}

}  // namespace
