#include "plugins/pg_stats/host_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/pg_stats/lookup_for_tests.h"

namespace plumb::pg_stats {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::IsEmpty;

using LookupClock = std::chrono::steady_clock;

TEST(HostLookup, KnowsTheAddressesOfThisMachine) {
  if (!kCanLookUp) GTEST_SKIP() << "no lookups under ThreadSanitizer";
  const std::atomic<bool> interrupted{false};
  HostLookup lookup({"localhost"});
  const auto found = lookup.wait(LookupClock::now() + std::chrono::seconds(20), interrupted);
  ASSERT_TRUE(found.is_ok()) << found.status().message();
  EXPECT_THAT(found->at("localhost"), Contains(AnyOf("127.0.0.1", "::1")));
}

TEST(HostLookup, NoNamesAreKnownAtOnce) {
  const std::atomic<bool> interrupted{false};
  HostLookup lookup({});
  const auto found = lookup.wait(LookupClock::now(), interrupted);
  ASSERT_TRUE(found.is_ok());
  EXPECT_THAT(*found, IsEmpty());
}

TEST(HostLookup, ANameThatNobodyKnowsHasNoAddresses) {
  if (!kCanLookUp) GTEST_SKIP() << "no lookups under ThreadSanitizer";
  const std::atomic<bool> interrupted{false};
  // No resolver is asked for what is too long to be a name.
  const std::string name(300, 'x');
  HostLookup lookup({name});
  const auto found = lookup.wait(LookupClock::now() + std::chrono::seconds(20), interrupted);
  ASSERT_TRUE(found.is_ok()) << found.status().message();
  EXPECT_THAT(found->at(name), IsEmpty());
}

}  // namespace
}  // namespace plumb::pg_stats
