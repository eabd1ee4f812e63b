#include "plugins/http_load/descriptor_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

TEST(DescriptorLimit, LeavesALimitAloneThatSuffices) {
  const auto fit = fit_descriptors({1024, 4096}, 512);
  ASSERT_TRUE(fit.is_ok());
  EXPECT_EQ(fit->rlim_cur, 1024u);
}

TEST(DescriptorLimit, RaisesTheSoftLimitToTheHardOne) {
  const auto fit = fit_descriptors({1024, 4096}, 1000);
  ASSERT_TRUE(fit.is_ok());
  EXPECT_EQ(fit->rlim_cur, 4096u);
  EXPECT_TRUE(fit_descriptors({1024, RLIM_INFINITY}, 100'000).is_ok());
}

TEST(DescriptorLimit, NamesTheRemedyWhenTheHardLimitIsTooLow) {
  const auto fit = fit_descriptors({1024, 4096}, 5'000);
  ASSERT_FALSE(fit.is_ok());
  EXPECT_EQ(fit.status().code(), PLUMB_RESOURCE_EXHAUSTED);
  EXPECT_THAT(fit.status().message(), testing::HasSubstr("ulimit -Hn"));
  EXPECT_THAT(fit.status().message(), testing::HasSubstr("load.users"));
}

TEST(DescriptorLimit, NamesNoNumberOfUsersWhereNoneWouldFit) {
  const auto fit = fit_descriptors({64, 64}, 1);
  ASSERT_FALSE(fit.is_ok());
  EXPECT_THAT(fit.status().message(), testing::HasSubstr("ulimit -Hn"));
  EXPECT_THAT(fit.status().message(), testing::Not(testing::HasSubstr("load.users")));
}

TEST(LocalPorts, ThatAreTooFewAreNamedWithTheRemedy) {
  EXPECT_TRUE(check_local_ports("32768\t60999", 28'232).is_ok());
  const Status few = check_local_ports("32768\t60999", 28'233);
  EXPECT_NE(few.message().find("hands out 28232: widen them"), std::string::npos) << few.message();
  EXPECT_TRUE(check_local_ports("", 100'000).is_ok());
  EXPECT_TRUE(check_local_ports(local_port_range(), 1).is_ok());
}

}  // namespace
}  // namespace plumb::http_load
