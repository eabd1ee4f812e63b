#include "core/engine/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace plumb::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class CatalogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/plumb-catalog-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    dir_ = root_ / "plugins";
    make_directory(dir_);
  }
  void TearDown() override { fs::remove_all(root_); }
  static void make_directory(const fs::path& path) {
    fs::create_directories(path);
    ::chmod(path.c_str(), 0755);
  }
  static void write(const fs::path& path, const std::string& text) {
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0644);
  }
  static void add(const fs::path& dir, const std::string& name) {
    host::Manifest manifest;
    manifest.name = name;
    manifest.version = "1.0.0";
    manifest.file = name + ".so";
    write(dir / (name + ".so"), "not loaded by listing");
    write(dir / (name + ".plugin.json"), host::manifest_json(manifest));
  }
  Catalog scan() { return Catalog::scan({dir_}); }
  std::string only_refusal() {
    const Catalog catalog = scan();
    EXPECT_TRUE(catalog.entries().empty());
    return catalog.refusals().size() == 1 ? catalog.refusals()[0].why.message() : "none or many";
  }
  fs::path root_;
  fs::path dir_;
};

TEST_F(CatalogTest, ListsPluginsWithTheirRules) {
  add(dir_, "pg_stats");
  add(dir_, "host_metrics");
  make_directory(dir_ / "pg_stats.rules");
  write(dir_ / "pg_stats.rules" / "b.yaml", "id: b");
  write(dir_ / "pg_stats.rules" / "a.yaml", "id: a");
  write(dir_ / "pg_stats.rules" / "notes.txt", "no rule");
  write(dir_ / "pg_stats.signals.yaml", "- signals");
  const Catalog catalog = scan();
  ASSERT_EQ(catalog.entries().size(), 2u);
  EXPECT_EQ(catalog.entries()[0].manifest.name, "host_metrics");
  const CatalogEntry& pg = catalog.entries()[1];
  EXPECT_EQ(pg.library, dir_ / "pg_stats.so");
  ASSERT_EQ(pg.rules.size(), 2u);
  EXPECT_EQ(pg.rules[0].text, "id: a");
  ASSERT_TRUE(pg.signals);
  EXPECT_EQ(pg.signals->text, "- signals");
  EXPECT_EQ(pg.rules[1].path, dir_ / "pg_stats.rules" / "b.yaml");
  EXPECT_TRUE(catalog.refusals().empty());
}

TEST_F(CatalogTest, FindsByNameAndSuggestsTheNearest) {
  add(dir_, "pg_stats");
  const Catalog catalog = scan();
  const auto found = catalog.find("pg_stats");
  ASSERT_TRUE(found.is_ok());
  EXPECT_EQ((*found)->manifest.name, "pg_stats");
  EXPECT_THAT(catalog.find("pg_stat").status().message(), HasSubstr("Did you mean 'pg_stats'?"));
  EXPECT_THAT(catalog.find("kafka").status().message(),
              AllOf(HasSubstr("no plugin 'kafka'"), HasSubstr(dir_.string())));
}

TEST_F(CatalogTest, ADirectoryThatOthersCanWriteIsRefused) {
  add(dir_, "pg_stats");
  ::chmod(dir_.c_str(), 0777);
  EXPECT_THAT(only_refusal(), HasSubstr("run chmod go-w " + dir_.string()));
  EXPECT_THAT(scan().find("pg_stats").status().message(), HasSubstr("chmod go-w"));
}

TEST_F(CatalogTest, FilesThatOthersCanWriteAreRefused) {
  for (const char* file : {"pg_stats.so", "pg_stats.plugin.json"}) {
    add(dir_, "pg_stats");
    ::chmod((dir_ / file).c_str(), 0664);
    EXPECT_THAT(only_refusal(), HasSubstr("chmod go-w")) << file;
  }
  add(dir_, "pg_stats");
  make_directory(dir_ / "pg_stats.rules");
  write(dir_ / "pg_stats.rules" / "a.yaml", "id: a");
  ::chmod((dir_ / "pg_stats.rules" / "a.yaml").c_str(), 0646);
  EXPECT_THAT(only_refusal(), HasSubstr("a.yaml can be written by others"));
}

TEST_F(CatalogTest, WhatBelongsToAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  add(dir_, "pg_stats");
  ASSERT_EQ(::chown((dir_ / "pg_stats.so").c_str(), 12'345, 12'345), 0);
  EXPECT_THAT(only_refusal(), HasSubstr("belongs to another user"));
}

TEST_F(CatalogTest, ManifestsThatAreWrongAreRefusedAndTheOthersTaken) {
  add(dir_, "good");
  write(dir_ / "torn.plugin.json", "{\"name\":");
  add(dir_, "other");
  fs::rename(dir_ / "other.plugin.json", dir_ / "alias.plugin.json");
  add(dir_, "lost");
  fs::remove(dir_ / "lost.so");
  const Catalog catalog = scan();
  ASSERT_EQ(catalog.entries().size(), 1u);
  EXPECT_EQ(catalog.refusals().size(), 3u);
  EXPECT_THAT(catalog.find("lost").status().message(),
              HasSubstr("found and not taken: cannot read"));
}

TEST_F(CatalogTest, OfTwoPluginsOfOneNameTheFirstIsTaken) {
  const fs::path second = root_ / "second";
  make_directory(second);
  add(dir_, "pg_stats");
  add(second, "pg_stats");
  const Catalog catalog = Catalog::scan({second, dir_, root_ / "missing"});
  ASSERT_EQ(catalog.entries().size(), 1u);
  EXPECT_EQ(catalog.entries()[0].library, second / "pg_stats.so");
  ASSERT_EQ(catalog.refusals().size(), 1u) << "a directory that is missing is no refusal";
  EXPECT_THAT(catalog.refusals()[0].why.message(), HasSubstr(second.string()));
}

TEST_F(CatalogTest, ThePathFromTheEnvironmentComesFirst) {
  ::setenv("PLUMB_PLUGIN_PATH",
           (dir_.string() + "::" + root_.string() + ":" + dir_.string()).c_str(), 1);
  const auto directories = Catalog::default_directories();
  ::unsetenv("PLUMB_PLUGIN_PATH");
  ASSERT_GE(directories.size(), 3u);
  EXPECT_EQ(directories[0], fs::canonical(dir_));
  EXPECT_EQ(directories[1], fs::canonical(root_));
  EXPECT_EQ(std::count(directories.begin(), directories.end(), fs::canonical(dir_)), 1);
}

}  // namespace
}  // namespace plumb::engine
