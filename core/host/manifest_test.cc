#include "core/host/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace plumb::host {
namespace {

using ::testing::HasSubstr;

Manifest a_manifest() {
  Manifest m;
  m.name = "pg_stats";
  m.version = "1.2.0";
  m.role = PLUMB_ROLE_SAMPLER;
  m.summary = "PostgreSQL, from its own views";
  m.file = "pg_stats.so";
  m.default_interval_ns = 100'000'000;
  m.needs = {"network"};
  m.options.push_back({.key = "dsn",
                       .type = PLUMB_OPTION_STRING,
                       .required = true,
                       .secret = true,
                       .help = "Where it is"});
  m.options.push_back({.key = "sessions",
                       .type = PLUMB_OPTION_DURATION,
                       .unit = "ns",
                       .default_value = "100ms",
                       .minimum = "10ms",
                       .maximum = "10s",
                       .one_of = {"100ms", "1s"},
                       .help = "How often"});
  return m;
}

TEST(ManifestTest, IsReadBackAsItWasWritten) {
  const auto read = parse_manifest(manifest_json(a_manifest()));
  ASSERT_TRUE(read.is_ok()) << read.status().message();
  EXPECT_EQ(manifest_json(*read), manifest_json(a_manifest()));
  ASSERT_NE(read->option("dsn"), nullptr);
  EXPECT_TRUE(read->option("dsn")->secret);
  EXPECT_FALSE(read->option("dsn")->default_value.has_value());
  EXPECT_EQ(read->option("sessions")->maximum, "10s");
  EXPECT_EQ(read->option("nothing"), nullptr);
}

TEST(ManifestTest, HoldsTheKeysThatItsReadersKnow) {
  const auto json = nlohmann::json::parse(manifest_json(a_manifest()));
  for (const char* key : {"name", "version", "role", "summary", "abi", "file", "default_interval",
                          "needs", "options"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["role"], "sampler");
  EXPECT_EQ(json["abi"], (nlohmann::json{{"major", 1}, {"minor", 0}}));
  for (const char* key :
       {"key", "type", "unit", "default", "min", "max", "one_of", "required", "secret", "help"}) {
    EXPECT_TRUE(json["options"][0].contains(key)) << key;
  }
}

TEST(ManifestTest, SaysWhatIsWrong) {
  const auto with = [](auto change) {
    auto json = nlohmann::json::parse(manifest_json(a_manifest()));
    change(json);
    return parse_manifest(json.dump()).status().message();
  };
  using J = nlohmann::json;
  EXPECT_THAT(with([](J& j) { j.erase("name"); }), HasSubstr("name is missing"));
  EXPECT_THAT(with([](J& j) { j["name"] = "Pg Stats"; }), HasSubstr("[a-z][a-z0-9_]*"));
  EXPECT_THAT(with([](J& j) { j["role"] = "boss"; }), HasSubstr("unknown role 'boss'"));
  EXPECT_THAT(with([](J& j) { j["file"] = "../../etc/x.so"; }), HasSubstr("beside the manifest"));
  EXPECT_THAT(with([](J& j) { j["options"][1]["type"] = "colour"; }),
              HasSubstr("option 2: unknown type 'colour'"));
  EXPECT_THAT(with([](J& j) { j["options"][1]["key"] = "dsn"; }), HasSubstr("there twice"));
  EXPECT_THAT(with([](J& j) { j["abi"] = 1; }), HasSubstr("abi is not an object"));
  EXPECT_THAT(with([](J& j) { j["default_interval"] = -1; }), HasSubstr("default_interval"));
  EXPECT_THAT(parse_manifest("{").status().message(), HasSubstr("not valid JSON"));
}

}  // namespace
}  // namespace plumb::host
