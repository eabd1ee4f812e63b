#include <gtest/gtest.h>

#include <memory>
#include <plumb/status.hpp>

namespace plumb {
namespace {

Status fails_second(bool first, bool second) {
  PLUMB_RETURN_IF_ERROR(first ? Status::ok() : Status::not_found("first"));
  PLUMB_RETURN_IF_ERROR(second ? Status::ok() : Status::unavailable("second"));
  return Status::ok();
}

Result<std::unique_ptr<int>> boxed(Result<int> number) {
  PLUMB_ASSIGN_OR_RETURN(const int value, std::move(number));
  return std::make_unique<int>(value);
}

TEST(StatusTest, SuccessHasNeitherCodeNorMessage) {
  const Status ok = Status::ok();
  EXPECT_TRUE(ok.is_ok());
  EXPECT_EQ(ok.code(), PLUMB_OK);
  EXPECT_EQ(ok.message(), "");
  EXPECT_TRUE(Status::from_code(PLUMB_OK, "ignored").is_ok());
  EXPECT_TRUE(ok.with_context("here").is_ok());
}

TEST(StatusTest, FailureCarriesItsSentenceThroughCopiesAndContext) {
  const Status failure = Status::permission_denied("no");
  Status copy = failure;
  EXPECT_EQ(copy.code(), PLUMB_PERMISSION_DENIED);
  EXPECT_EQ(copy.with_context("pg_stats").message(), "pg_stats: no");
  copy = Status::ok();
  EXPECT_TRUE(copy.is_ok());
  EXPECT_EQ(failure.message(), "no");
}

TEST(StatusTest, TheFirstFailureReturns) {
  EXPECT_EQ(fails_second(false, false).message(), "first");
  EXPECT_EQ(fails_second(true, false).message(), "second");
  EXPECT_TRUE(fails_second(true, true).is_ok());
}

TEST(ResultTest, HoldsAValueOrWhyThereIsNone) {
  const auto value = boxed(5);
  ASSERT_TRUE(value.is_ok());
  EXPECT_EQ(**value, 5);
  EXPECT_TRUE(value.status().is_ok());
  EXPECT_EQ(boxed(Status::cancelled("stop")).status().message(), "stop");
}

}  // namespace
}  // namespace plumb
