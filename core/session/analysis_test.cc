#include "core/session/analysis.h"

#include <gtest/gtest.h>

namespace plumb::session {
namespace {

using nlohmann::json;

TEST(Analysis, IsGivenVerdictFindingsFactsAndLedger) {
  const json input = analysis_input({{"verdict", {{"label", "Threat"}}},
                                     {"findings", {{{"cause", "db-lock-contention"}}}},
                                     {"facts", {{{"id", "F1"}}}},
                                     {"ledger", {{{"key", "app.cpu"}, {"ms", 1}}}},
                                     {"plan", {{"name", "x"}}}});
  EXPECT_EQ(input["findings"][0]["id"], "db-lock-contention");
  EXPECT_EQ(input["ledger"][0]["line"], "app.cpu");
  EXPECT_EQ(input["facts"][0]["id"], "F1");
  EXPECT_FALSE(input.contains("plan"));
  EXPECT_TRUE(analysis_input({})["findings"].empty());
}

TEST(Analysis, APlanWithoutAnalyzersGivesNone) {
  std::vector<std::string> warnings;
  EXPECT_TRUE(analyze({}, engine::Catalog::scan({}), {}, {}, {}, warnings).is_null());
  EXPECT_TRUE(warnings.empty());
}

}  // namespace
}  // namespace plumb::session
