#include "core/session/run_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/session/temporary_directory_for_tests.h"

namespace plumb::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A directory with one plugin `waits`, whose files can be trusted.
class RunRulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::chmod(dir_.path().c_str(), 0755);
    std::filesystem::create_directory(dir_.path() / "waits.rules");
    ::chmod((dir_.path() / "waits.rules").c_str(), 0755);
    write("waits.so", "");
    write("waits.plugin.json",
          R"({"name":"waits","version":"1","role":"sampler","summary":"","file":"waits.so",)"
          R"("abi":{"major":1,"minor":0},"default_interval":0,"needs":[],"options":[]})");
    plan_.load.plugin = "none";
    plan_.plugins.emplace_back().name = "waits";
  }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    const auto path = dir_.path() / name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0644);
    return path;
  }

  void list_signals() {
    write("waits.signals.yaml", "- {name: wait_seconds_total, kind: counter, unit: seconds}\n");
  }

  static std::string rule(const std::string& fact) {
    return "- {id: a, layer: app, let: {x: " + fact + "}, when: x > 1, cost: x, says: s}\n";
  }

  RunRules collected() {
    const engine::Catalog catalog = engine::Catalog::scan({dir_.path()});
    EXPECT_TRUE(catalog.find("waits").is_ok()) << catalog.find("waits").status().message();
    return collect_rules(plan_, catalog);
  }

  TemporaryDirectory dir_;
  plan::Plan plan_;
};

TEST_F(RunRulesTest, OfPluginsAndOfThePlanAreChecked) {
  list_signals();
  write("waits.rules/a.yaml", rule("wait_seconds_total.per_request"));
  plan_.rules = {write("mine.yaml", rule("wait_seconds_total.per_requst")).string()};
  const RunRules rules = collected();
  EXPECT_EQ(rules.files.size(), 2u);
  ASSERT_EQ(rules.problems.size(), 1u);
  EXPECT_THAT(rules.problems[0], HasSubstr("Did you mean 'wait_seconds_total.per_request'?"));
  EXPECT_THAT(rules.warnings, IsEmpty());
}

TEST_F(RunRulesTest, OfAPluginThatListsNoSignalsAreTakenWithAWarning) {
  write("waits.rules/a.yaml", rule("anything.mean"));
  const RunRules rules = collected();
  EXPECT_EQ(rules.files.size(), 1u);
  EXPECT_THAT(rules.problems, IsEmpty());
  ASSERT_EQ(rules.warnings.size(), 1u);
  EXPECT_THAT(rules.warnings[0], HasSubstr("waits lists no signals"));
}

TEST_F(RunRulesTest, MayDoWithoutAFactOfAPluginThatIsNotInstalled) {
  list_signals();
  write("waits.rules/a.yaml",
        "- {id: a, layer: app, let: {x: wait_seconds_total.per_request, y: {fact: other.mean, "
        "or: 0}}, when: x > y, cost: x, says: s}\n");
  const RunRules rules = collected();
  EXPECT_THAT(rules.problems, IsEmpty());
  EXPECT_EQ(rules.warnings.size(), 1u);
}

TEST_F(RunRulesTest, ThatARunKeepsAreRenewedByThoseOfThePluginsThatAreInstalled) {
  list_signals();
  write("waits.rules/a.yaml", rule("wait_seconds_total.per_request"));
  const nlohmann::json kept = {{{"origin", "waits/old.yaml"}, {"text", "[]"}},
                               {{"origin", "waits/older.yaml"}, {"text", "[]"}},
                               {{"origin", "gone/a.yaml"}, {"text", rule("gone.mean")}},
                               {{"origin", "waits/mine/a.yaml"}, {"text", "[]"}}};
  const RunRules rules = renew_rules(kept, engine::Catalog::scan({dir_.path()}));
  std::vector<std::string> origins;
  for (const auto& file : rules.files) origins.push_back(file["origin"]);
  EXPECT_THAT(origins, ElementsAre("waits/a.yaml", "gone/a.yaml", "waits/mine/a.yaml"));
  EXPECT_THAT(rules.problems, IsEmpty()) << "what was judged by once is not checked again";
}

TEST_F(RunRulesTest, AnObjectiveAboutAFactThatNoRunHasIsWarnedOf) {
  list_signals();
  plan::Slo& slo = plan_.slos.emplace_back();
  slo.metric = "wait_seconds_total.per_reqest";
  slo.is_fact = true;
  const RunRules rules = collected();
  EXPECT_THAT(rules.problems, IsEmpty());
  EXPECT_THAT(rules.warnings,
              ElementsAre(HasSubstr("Did you mean 'wait_seconds_total.per_request'?")));
}

TEST_F(RunRulesTest, OfADirectoryAreAllTaken) {
  list_signals();
  std::filesystem::create_directory(dir_.path() / "mine");
  write("mine/b.yaml", rule("wait_seconds_total.per_request"));
  write("mine/a.yaml", rule("wait_seconds_total.per_request"));
  write("mine/notes.txt", "no rule");
  plan_.rules = {(dir_.path() / "mine").string()};
  EXPECT_EQ(collected().files.size(), 2u);
  EXPECT_THAT(collected().problems, IsEmpty());
}

TEST_F(RunRulesTest, ThatCannotBeReadAreAProblem) {
  list_signals();
  plan_.rules = {(dir_.path() / "absent.yaml").string()};
  ASSERT_EQ(collected().problems.size(), 1u);
  EXPECT_THAT(collected().problems[0], HasSubstr("absent.yaml"));
}

}  // namespace
}  // namespace plumb::session
