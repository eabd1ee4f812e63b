#include "core/profile/own_functions.h"

#include <gtest/gtest.h>

namespace plumb::profile {
namespace {

double self_of(const std::vector<FunctionWeight>& functions, std::string_view name) {
  for (const FunctionWeight& function : functions)
    if (function.name == name) return function.self[kRun];
  return -1;
}

TEST(OwnFunctions, HaveWhatInterpreterAndLibrariesSpentForThem) {
  CallTree tree;
  tree.add(
      "python;_PyEval_EvalFrameDefault;py::serve:/srv/shop.py;_PyEval_EvalFrameDefault;"
      "py::price:/srv/shop.py;PyNumber_Multiply;long_mul",
      4);
  tree.add("python;py::serve:/srv/shop.py;py::price:/srv/shop.py", 1);
  tree.add("python;py::serve:/srv/shop.py;py::dumps:/usr/lib/python3.11/json/__init__.py;c_encode",
           2);
  tree.add("python;gc_collect", 8);
  const auto functions = own_functions_of(tree);
  EXPECT_EQ(functions.size(), 2u);
  EXPECT_EQ(self_of(functions, "py::price:/srv/shop.py"), 5);
  EXPECT_EQ(self_of(functions, "py::serve:/srv/shop.py"), 2);
}

TEST(OwnFunctions, OfAStackThatIsAllLibraryItIsTheInnermostOfTheLanguage) {
  CallTree tree;
  tree.add("node;JS:~processTimers node:internal/timers:1:2;JS:*emit node:events:3:4;memcpy", 3);
  EXPECT_EQ(self_of(own_functions_of(tree), "JS:*emit node:events:3:4"), 3);
}

TEST(OwnFunctions, AProgramWithoutAnInterpreterHasNone) {
  CallTree tree;
  tree.add("shop;main;price", 3);
  EXPECT_TRUE(own_functions_of(tree).empty());
}

}  // namespace
}  // namespace plumb::profile
