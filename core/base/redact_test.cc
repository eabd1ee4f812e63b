#include "core/base/redact.h"

#include <gtest/gtest.h>

#include <vector>

namespace plumb {
namespace {

TEST(RedactTest, TakesEveryOccurrenceOut) {
  const std::vector<std::string> secrets = {"hunter2"};
  EXPECT_EQ(redact("hunter2 and hunter2", secrets), "*** and ***");
}

TEST(RedactTest, ALongerSecretGoesBeforeTheOneInsideIt) {
  const std::vector<std::string> secrets = {"pass", "postgresql://u:pass@h/db"};
  EXPECT_EQ(redact("cannot reach postgresql://u:pass@h/db", secrets), "cannot reach ***");
}

TEST(RedactTest, FindsASecretEscapedForJson) {
  const std::vector<std::string> secrets = {"qu\"ote"};
  EXPECT_EQ(redact(R"({"dsn":"qu\"ote"})", secrets), R"({"dsn":"***"})");
}

TEST(RedactTest, LeavesTextAloneForSecretsTooShortToBeTold) {
  const std::vector<std::string> secrets = {"", "a", "abc"};
  EXPECT_EQ(redact("abc a", secrets), "abc a");
}

}  // namespace
}  // namespace plumb
