// Every file of testdata/*.golden is a test: facts in, the expected diagnosis out. With
// PLUMB_GOLDEN_WRITE=1 in the environment the files are written anew; read what changed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/diagnose/diagnosis.h"
#include "core/diagnose/golden_for_tests.h"
#include "core/diagnose/rule_check.h"
#include "core/diagnose/shipped_rules_for_tests.h"
#include "core/facts/derived.h"

namespace plumb::diagnose {
namespace {

namespace fs = std::filesystem;
using plumb::testing::GoldenAnswer;
using plumb::testing::GoldenFile;

const SignalList& signals() {
  static const SignalList list = plumb::testing::shipped_signals();
  return list;
}

const nlohmann::json& rules() {
  static const nlohmann::json shipped = plumb::testing::shipped_rules();
  return shipped;
}

std::vector<std::string> golden_names() {
  std::vector<std::string> out;
  for (const auto& entry :
       fs::directory_iterator(fs::path(PLUMB_SOURCE_DIR) / "core/diagnose/testdata"))
    if (entry.path().extension() == ".golden") out.push_back(entry.path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

fs::path path_of(const std::string& name) {
  return fs::path(PLUMB_SOURCE_DIR) / "core/diagnose/testdata" / (name + ".golden");
}

// The run and the file of that name.
Result<store::RunData> run_of(const std::string& name, GoldenFile& file) {
  PLUMB_ASSIGN_OR_RETURN(file,
                         plumb::testing::read_golden(plumb::testing::text_of_file(path_of(name))));
  PLUMB_ASSIGN_OR_RETURN(store::RunData run, plumb::testing::golden_run(file.given, signals()));
  run.header.rules = rules();
  return run;
}

class GoldenDiagnosis : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenDiagnosis, IsAsTheFileSays) {
  GoldenFile file;
  const auto run = run_of(GetParam(), file);
  ASSERT_TRUE(run.is_ok()) << GetParam() << ".golden: " << run.status().message();
  const auto answer = plumb::testing::golden_answer(*run);
  ASSERT_TRUE(answer.is_ok()) << answer.status().message();
  if (std::getenv("PLUMB_GOLDEN_WRITE") != nullptr) {
    std::ofstream(path_of(GetParam())) << plumb::testing::golden_text(file, *answer);
    return;
  }
  ASSERT_FALSE(file.expected.empty()) << GetParam() << ".golden expects nothing";
  for (const auto& [section, expected] : file.expected) {
    std::vector<std::string> actual;
    for (const auto& [name, lines] : *answer)
      if (name == section) actual = lines;
    EXPECT_EQ(expected, actual) << GetParam() << ".golden, expect " << section << ":\n"
                                << plumb::testing::difference_of(expected, actual);
  }
}

INSTANTIATE_TEST_SUITE_P(, GoldenDiagnosis, ::testing::ValuesIn(golden_names()),
                         [](const auto& golden) {
                           std::string name = golden.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// What the core derives must be in the table that rules are checked against.
TEST(GoldenDiagnoses, DeriveNoFactThatTheCatalogDoesNotKnow) {
  const FactCatalog catalog(signals());
  for (const std::string& name : golden_names()) {
    GoldenFile file;
    const auto run = run_of(name, file);
    ASSERT_TRUE(run.is_ok()) << name << ": " << run.status().message();
    facts::FactSet facts = facts::compute(*run);
    ASSERT_TRUE(diagnose(*run, facts).is_ok());
    for (const facts::Fact& fact : facts.list()) {
      const KnownFact* known = catalog.find(fact.name);
      ASSERT_NE(known, nullptr) << fact.name << " of " << name;
      if (known->unit == facts::kOwnUnit) continue;
      EXPECT_EQ(known->unit, fact.unit) << fact.name << " of " << name;
    }
  }
}

// Every cause of the rules is the first of some golden diagnosis.
TEST(GoldenDiagnoses, ShowEachCauseAtLeastOnce) {
  std::set<std::string> causes;
  for (const auto& file : rules()) {
    const auto parsed =
        parse_rules(file["origin"].get<std::string>(), file["text"].get<std::string>());
    ASSERT_TRUE(parsed.is_ok()) << parsed.status().message();
    for (const Rule& rule : *parsed)
      if (!rule.when.empty()) causes.insert(rule.id);
  }
  for (const std::string& name : golden_names()) {
    GoldenFile file;
    const auto run = run_of(name, file);
    ASSERT_TRUE(run.is_ok()) << name;
    facts::FactSet facts = facts::compute(*run);
    const Diagnosis d = diagnose(*run, facts).value();
    if (d.verdict.bottleneck) causes.erase(d.verdict.bottleneck->cause);
  }
  std::string missing;
  for (const std::string& cause : causes) missing += " " + cause;
  EXPECT_TRUE(missing.empty()) << "without a golden diagnosis:" << missing;
}

TEST(GoldenDifference, ShowsWhatIsMissingAndWhatIsNew) {
  EXPECT_EQ(plumb::testing::difference_of({"a", "b", "c"}, {"a", "x", "c"}),
            "    a\n  - b\n  + x\n    c\n");
}

}  // namespace
}  // namespace plumb::diagnose
