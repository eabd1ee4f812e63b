#include "plugins/http_load/least_loaded.h"

#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

struct Loaded : Load<Loaded> {};

TEST(LeastLoaded, GivesTheOneThatCarriesLeast) {
  LeastLoaded<Loaded> list;
  EXPECT_EQ(list.least(), nullptr);
  Loaded a, b, c;
  list.put(a, 3);
  list.put(b, 1);
  list.put(c, 2);
  EXPECT_EQ(list.least(), &b);
  list.put(b, 5);
  EXPECT_EQ(list.least(), &c);
  list.take_out(c);
  EXPECT_EQ(list.least(), &a);
  list.put(c, 0);
  EXPECT_EQ(list.least(), &c);
}

TEST(LeastLoaded, TakingOutWhatIsNotListedChangesNothing) {
  LeastLoaded<Loaded> list;
  Loaded a, b;
  list.take_out(a);
  list.put(a, 1);
  list.put(b, 1);
  list.take_out(b);
  list.take_out(b);
  EXPECT_EQ(list.least(), &a);
  list.take_out(a);
  EXPECT_EQ(list.least(), nullptr);
}

}  // namespace
}  // namespace plumb::http_load
