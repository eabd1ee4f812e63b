#include "core/cli/last_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <system_error>

namespace plumb::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LastWords, ALimitOfTheUsersIsNoFaultOfPlumbs) {
  const std::string thread =
      last_words(std::system_error(EAGAIN, std::generic_category(), "thread"));
  EXPECT_THAT(thread, HasSubstr("a thread could not be started"));
  EXPECT_THAT(thread, HasSubstr("ulimit -u"));
  EXPECT_THAT(last_words(std::bad_alloc()), HasSubstr("ulimit -v"));
  EXPECT_THAT(thread + last_words(std::bad_alloc()), Not(HasSubstr("fault")));
}

TEST(LastWords, AnythingElseIs) {
  EXPECT_EQ(last_words(std::logic_error("vector")), "vector; this is a fault of plumb's own");
  EXPECT_THAT(last_words(std::system_error(EIO, std::generic_category())), HasSubstr("fault"));
}

}  // namespace
}  // namespace plumb::cli
