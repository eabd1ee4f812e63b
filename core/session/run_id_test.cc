#include "core/session/run_id.h"

#include <gtest/gtest.h>

namespace plumb::session {
namespace {

TEST(RunId, IsItsStartInUtcAndFourDigits) {
  EXPECT_EQ(make_run_id(1795171512'501, 4), "20261120T104512Z-7f39");
  EXPECT_EQ(make_run_id(0, 0x1), "19700101T000000Z-0001");
  EXPECT_TRUE(is_run_id(make_run_id(1795171512'345, 0xffff)));
}

TEST(RunId, GrowsWithinASecond) {
  EXPECT_LT(make_run_id(1795171512'000, 0xffff), make_run_id(1795171512'001, 0));
  EXPECT_LT(make_run_id(1795171512'998, 0xffff), make_run_id(1795171512'999, 0));
  EXPECT_TRUE(is_run_id(make_run_id(1795171512'999, 0xffff)));
}

TEST(RunId, OtherTextsAreNone) {
  for (const char* text : {"", "last", "20261120T104512Z", "20261120T104512Z-7F3A",
                           "20261120 104512Z-7f3a", "20261120T104512Z-7f3a.plumb", "../../etc/x"})
    EXPECT_FALSE(is_run_id(text)) << text;
}

}  // namespace
}  // namespace plumb::session
