#include "core/base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace plumb {
namespace {

const std::vector<std::string> kPlugins = {"http_load", "pg_stats", "host_metrics", "sqlite_stats"};

TEST(NearestTest, DistanceCountsEditsAndSwappedNeighbours) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("pg_stats", "pg_statss"), 1u);
  EXPECT_EQ(edit_distance("pg_tsats", "pg_stats"), 1u);
}

TEST(NearestTest, FindsWhatAMistypedWordStandsFor) {
  EXPECT_EQ(nearest("pg_stat", kPlugins), "pg_stats");
  EXPECT_EQ(nearest("htpp_load", kPlugins), "http_load");
  EXPECT_EQ(nearest("sqlite", kPlugins), "sqlite_stats");
}

TEST(NearestTest, SuggestsNothingForAWordThatIsLikeNone) {
  EXPECT_EQ(nearest("kafka", kPlugins), std::nullopt);
  EXPECT_EQ(nearest("", kPlugins), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

TEST(NearestTest, SuggestionIsASentenceOrNothing) {
  EXPECT_EQ(did_you_mean("hots_metrics", kPlugins), " Did you mean 'host_metrics'?");
  EXPECT_EQ(did_you_mean("kafka", kPlugins), "");
}

}  // namespace
}  // namespace plumb
