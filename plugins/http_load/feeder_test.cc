#include "plugins/http_load/feeder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace plumb::http_load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Feeding : public testing::Test {
 protected:
  Feeding() { std::ofstream(file) << "name,note\nann,x\nbob,\"y\nz\"\ncid,w\n"; }
  ~Feeding() override { std::filesystem::remove(file); }
  static std::unique_ptr<Feeder> open(const FeederPlan& plan) {
    auto out = Feeder::open(plan);
    EXPECT_TRUE(out.is_ok()) << out.status().message();
    return std::move(out).value();
  }
  std::unique_ptr<Feeder> rows(FeederPlan::Order order) {
    return open({.name = "users", .file = file, .order = order});
  }
  std::string next(const Feeder& feeder) {
    const auto drawn = feeder.draw(random);
    if (!drawn) return "none";
    std::string out = "before";
    feeder.write(*drawn, 0, out);
    return out;
  }

  const std::string file =
      std::filesystem::temp_directory_path() / ("users-" + std::to_string(getpid()) + ".csv");
  Random random{1};
};

TEST_F(Feeding, GoesThroughAFileAgainAndAgain) {
  const auto feeder = rows(FeederPlan::Order::kSequential);
  EXPECT_THAT(feeder->columns(), ElementsAre("users.name", "users.note"));
  for (const char* name : {"ann", "bob", "cid", "ann"}) EXPECT_EQ(next(*feeder), name);
}

TEST_F(Feeding, GivesEachRowOnce) {
  const auto feeder = rows(FeederPlan::Order::kOnce);
  for (const char* name : {"ann", "bob", "cid", "none", "none"}) EXPECT_EQ(next(*feeder), name);
  EXPECT_EQ(feeder->refused(), 2u);
}

TEST_F(Feeding, DrawsRowsAtRandom) {
  const auto feeder = rows(FeederPlan::Order::kRandom);
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(next(*feeder));
  EXPECT_THAT(seen, ElementsAre("ann", "bob", "cid"));
}

TEST_F(Feeding, Counts) {
  using Kind = FeederPlan::Kind;
  const auto feeder = open({.name = "n", .kind = Kind::kCounter, .from = 10, .step = -5});
  EXPECT_THAT(feeder->columns(), ElementsAre("n"));
  for (const char* number : {"10", "5", "0", "-5"}) EXPECT_EQ(next(*feeder), number);
  const auto from_to = open({.name = "n", .kind = Kind::kRandom, .from = 3, .to = 4});
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) seen.insert(next(*from_to));
  EXPECT_THAT(seen, ElementsAre("3", "4"));
}

TEST_F(Feeding, GivesNoRowTwiceToTwoThreads) {
  const auto feeder = open({.name = "n", .kind = FeederPlan::Kind::kCounter, .from = 0});
  std::vector<std::vector<uint64_t>> drawn(2);
  std::vector<std::thread> threads;
  for (auto& mine : drawn)
    threads.emplace_back([&] {
      Random own(1);
      for (int i = 0; i < 1'000; ++i) mine.push_back(*feeder->draw(own));
    });
  for (auto& thread : threads) thread.join();
  std::set<uint64_t> all(drawn[0].begin(), drawn[0].end());
  all.insert(drawn[1].begin(), drawn[1].end());
  EXPECT_EQ(all.size(), 2'000u);
}

TEST_F(Feeding, KnowsWhatAHeaderCannotTake) {
  const auto feeder = rows(FeederPlan::Order::kSequential);
  EXPECT_TRUE(feeder->check_lines(0).is_ok());
  EXPECT_THAT(feeder->check_lines(1).message(), HasSubstr("row 2 has a line break"));
}

}  // namespace
}  // namespace plumb::http_load
