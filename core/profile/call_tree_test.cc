#include "core/profile/call_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/profile/functions.h"
#include "core/profile/pruned_tree.h"

namespace plumb::profile {
namespace {

using ::testing::ElementsAre;

// "name weight" of each node depth first, indented by its depth.
std::vector<std::string> outline(const CallTree& tree) {
  std::vector<std::string> out;
  const std::vector<Weights> totals = tree.totals();
  tree.walk([&](uint32_t node, size_t depth) {
    const std::string name = node == CallTree::kRoot ? "all" : tree.name_of(tree.nodes()[node]);
    out.push_back(std::string(depth, ' ') + name + " " +
                  std::to_string(static_cast<int>(totals[node][kRun])));
  });
  return out;
}

std::vector<std::string> outline(const PrunedTree& tree) {
  std::vector<std::string> out;
  std::vector<size_t> depths;
  for (const PrunedNode& node : tree.nodes) {
    depths.push_back(depths.empty() ? 0 : depths[node.parent] + 1);
    out.push_back(std::string(depths.back(), ' ') + node.name + " " +
                  std::to_string(static_cast<int>(node.total[kRun])));
  }
  return out;
}

TEST(CallTreeTest, StacksThatShareTheirOuterFramesShareTheirNodes) {
  CallTree tree;
  tree.add("main;b;c", 3);
  tree.add("main;a", 2);
  tree.add("main;b", 1);
  tree.add("main;b;c", 4);
  EXPECT_THAT(outline(tree), ElementsAre("all 10", " main 10", "  a 2", "  b 8", "   c 7"));
}

TEST(CallTreeTest, WhatIsNoStackOrNoWeightIsNotTaken) {
  CallTree tree;
  tree.add("", 1);
  tree.add(";;", 1);
  tree.add("a", 0);
  tree.add("a", -1);
  tree.add("a", std::numeric_limits<double>::infinity());
  tree.add("a", std::nan(""));
  EXPECT_THAT(outline(tree), ElementsAre("all 0"));
  tree.add(";a;;b;", 1);
  EXPECT_THAT(outline(tree), ElementsAre("all 1", " a 1", "  b 1"));
}

TEST(CallTreeTest, NoWeightIsLostAtTheLimitOfNodes) {
  CallTree tree(20, 1'000'000);
  for (int i = 0; i < 1000; ++i)
    tree.add("main;f" + std::to_string(i) + ";g" + std::to_string(i) + ";h", 1);
  EXPECT_LE(tree.nodes().size(), 40u);
  EXPECT_EQ(tree.totals()[CallTree::kRoot][kRun], 1000);
}

TEST(CallTreeTest, NamesAreBoundedToo) {
  CallTree tree(1'000'000, 1'000);
  for (int i = 0; i < 1000; ++i) tree.add("main;" + std::string(50, 'x') + std::to_string(i), 1);
  EXPECT_LE(tree.nodes().size(), 30u);
  EXPECT_EQ(tree.totals()[CallTree::kRoot][kRun], 1000);
}

TEST(CallTreeTest, TwoSidesLieOverEachOther) {
  CallTree run;
  run.add("main;a", 1);
  CallTree base;
  base.add("main;b", 2);
  base.add("main;a", 3);
  CallTree both;
  both.merge(run, kRun);
  both.merge(base, kBase);
  const std::vector<Weights> totals = both.totals();
  EXPECT_EQ(both.nodes().size(), 4u);
  EXPECT_THAT(totals[CallTree::kRoot], ElementsAre(1, 5));
}

TEST(CallTreeTest, MergingKeepsTheLimitAndTheWeight) {
  CallTree large;
  for (int i = 0; i < 500; ++i) large.add("f" + std::to_string(i) + ";g;h;i", 1);
  CallTree small(50, 1'000'000);
  small.merge(large, kBase);
  EXPECT_LE(small.nodes().size(), 100u);
  EXPECT_EQ(small.totals()[CallTree::kRoot][kBase], 500);
}

TEST(CallTreeTest, CanBeMoved) {
  CallTree tree;
  tree.add("main;a", 1);
  CallTree other = std::move(tree);
  other.add("main;a;b", 1);
  EXPECT_THAT(outline(other), ElementsAre("all 2", " main 2", "  a 2", "   b 1"));
}

TEST(FunctionsTest, AFunctionThatCallsItselfCountsOnceInItsTotal) {
  CallTree tree;
  tree.add("main;walk;walk;walk", 2);
  tree.add("main;walk;leaf", 3);
  tree.add("other;walk", 1);
  const std::vector<FunctionWeight> functions = functions_of(tree, KernelTime::kIsItsOwn);
  ASSERT_EQ(functions.size(), 4u);
  EXPECT_EQ(functions[3].name, "walk");
  EXPECT_EQ(functions[3].self[kRun], 3);
  EXPECT_EQ(functions[3].total[kRun], 6);
  EXPECT_EQ(functions[0].name, "leaf");
  EXPECT_EQ(functions[0].total[kRun], 3);
}

TEST(FunctionsTest, AThreadThatWaitsWaitsInWhatCalledTheKernel) {
  CallTree tree;
  tree.add("shop;pthread_mutex_lock;futex_wait_[k];schedule_[k]", 3);
  tree.add("shop;kworker_[k];schedule_[k]", 2);
  tree.add("swapper_[k]", 1);
  EXPECT_EQ(kernel_time_of("off_cpu"), KernelTime::kIsItsCallers);
  EXPECT_EQ(kernel_time_of("on_cpu"), KernelTime::kIsItsOwn);
  std::map<std::string, double> self;
  for (const FunctionWeight& function : functions_of(tree, KernelTime::kIsItsCallers))
    self[function.name] = function.self[kRun];
  EXPECT_EQ(self["pthread_mutex_lock"], 3);
  EXPECT_EQ(self["shop"], 2);
  EXPECT_EQ(self["schedule_[k]"], 0);
  EXPECT_EQ(self["swapper_[k]"], 1) << "there is nobody else";
}

TEST(PrunedTreeTest, WhatWeighsNextToNothingIsFoldedBesideItsSiblings) {
  CallTree tree;
  tree.add("main;big", 1000);
  tree.add("main;small1;deep;deeper", 4);
  tree.add("main;small2", 3);
  tree.add("main;middle;tiny", 2);
  tree.add("main;middle", 100);
  const PrunedTree pruned = prune(tree, {.least_share = 0.01});
  EXPECT_THAT(outline(pruned), ElementsAre("all 1109", " main 1109", "  big 1000", "  middle 102",
                                           "   (other) 2", "  (other) 7"));
  EXPECT_EQ(pruned.least_share, 0.01);
}

TEST(PrunedTreeTest, OfATreeThatIsTooLargeTheHeaviestNodesStay) {
  CallTree tree;
  for (int i = 1; i <= 500; ++i) tree.add("main;f" + std::to_string(i), i);
  const PrunedTree pruned = prune(tree, {.least_share = 0, .most_nodes = 12});
  EXPECT_LE(pruned.nodes.size(), 14u);
  EXPECT_GT(pruned.least_share, 0);
  double below = 0;
  for (const PrunedNode& node : pruned.nodes)
    if (node.parent == 1 && &node != &pruned.nodes[1]) below += node.total[kRun];
  EXPECT_EQ(below, 500 * 501 / 2);
}

TEST(PrunedTreeTest, OfTwoSidesTheHeavierOneCounts) {
  CallTree tree;
  tree.add("gone", 50, kBase);
  tree.add("both", 1000);
  tree.add("both", 10, kBase);
  // In the run's measure the base is a hundred times as heavy.
  const PrunedTree pruned = prune(tree, {.least_share = 0.01}, {1, 100});
  ASSERT_EQ(pruned.nodes.size(), 3u);
  EXPECT_EQ(pruned.nodes[2].name, "gone");
  EXPECT_EQ(pruned.nodes[2].total[kBase], 50) << "weights stay as they were measured";
}

TEST(PrunedTreeTest, AnEmptyTreeIsItsRoot) {
  EXPECT_THAT(outline(prune(CallTree(), {})), ElementsAre("all 0"));
}

}  // namespace
}  // namespace plumb::profile
