// Which threads are watched, with a kernel of the test's own and two processors.
#include "plugins/stack_profile/attachment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "plugins/proc/fake_proc.h"
#include "plugins/stack_profile/fake_kernel.h"

namespace plumb::stack_profile {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kClock = PERF_COUNT_SW_CPU_CLOCK;
constexpr uint64_t kSwitches = PERF_COUNT_SW_CONTEXT_SWITCHES;
constexpr uint64_t kAttachMs = 1'000'000;

class AttachmentTest : public ::testing::Test {
 protected:
  void SetUp() override { proc.write("sys/devices/system/cpu/online", "0-1\n"); }
  Attachment make(bool whole_machine, size_t most_events = Attachment::kMostEvents) {
    Attachment out(fake.kernel(), proc.root(), most_events);
    EXPECT_TRUE(out.open_rings(128 * 1024));
    EventSettings settings;
    settings.whole_machine = whole_machine;
    out.set_settings(settings);
    return out;
  }
  static std::vector<TargetThread> threads(std::vector<Pid> tids) {
    std::vector<TargetThread> out;
    for (const Pid tid : tids) out.push_back({50, tid});
    return out;
  }
  proc::FakeProc proc;
  FakeKernel fake;
};

TEST_F(AttachmentTest, AThreadHasAnEventOfEachKindPerProcessor) {
  Attachment attachment = make(false);
  EXPECT_TRUE(attachment.attach(threads({50})));
  EXPECT_EQ(fake.count(kClock, 50), 2u);
  EXPECT_EQ(fake.count(kSwitches, 50), 2u);
  EXPECT_FALSE(attachment.attach(threads({50}))) << "it is watched already";
  EXPECT_EQ(fake.opened.size(), 4u);
}

TEST_F(AttachmentTest, WithoutRoomForAllEventsProcessorTimeStaysAndWaitingIsLeftOut) {
  Attachment attachment = make(false, 8);
  attachment.attach(threads({50, 51, 52, 53}));
  for (const Pid tid : {50, 51, 52, 53}) {
    EXPECT_TRUE(attachment.watches(tid)) << tid;
    EXPECT_EQ(fake.count(kClock, tid), 2u) << tid;
  }
  EXPECT_EQ(attachment.events(), 8u) << "those for processor time";
  EXPECT_THAT(attachment.problem(), HasSubstr("what threads wait for is not seen"));
  EXPECT_THAT(attachment.problem(), HasSubstr("file descriptors"));
  // Still said when there is nothing new.
  attachment.attach(threads({50}));
  EXPECT_THAT(attachment.problem(), HasSubstr("what threads wait for is not seen"));
  // Fewer threads have room again.
  attachment.restart(threads({50, 51}), attachment.settings());
  EXPECT_EQ(attachment.problem(), "");
  EXPECT_EQ(attachment.events(), 8u);
}

TEST_F(AttachmentTest, OfAMachineSampledAsAWholeThreadsBeyondTheRoomKeepTheirProcessorTime) {
  Attachment attachment = make(true, 6);
  attachment.attach(threads({50, 51, 52}));
  EXPECT_EQ(fake.count(kClock, -1), 2u);
  EXPECT_TRUE(attachment.watches(52));
  EXPECT_EQ(fake.count(kSwitches, 51), 2u);
  EXPECT_EQ(fake.count(kSwitches, 52), 0u);
  EXPECT_THAT(attachment.problem(), HasSubstr("what some threads wait for is not seen"));
}

TEST_F(AttachmentTest, WhereDescriptorsRunOutProcessorTimeStays) {
  fake.refuse = [](const perf_event_attr& attr, Pid) {
    return attr.config == kSwitches ? EMFILE : 0;
  };
  Attachment attachment = make(true);
  attachment.attach(threads({50, 51}));
  EXPECT_TRUE(attachment.watches(50));
  EXPECT_TRUE(attachment.watches(51));
  EXPECT_THAT(attachment.problem(), HasSubstr("raise the limit"));
  // As soon as there are some again, waiting is seen too.
  fake.refuse = {};
  EXPECT_TRUE(attachment.attach(threads({50, 51})));
  EXPECT_EQ(fake.count(kSwitches, 50), 2u);
  EXPECT_EQ(attachment.problem(), "");
}

TEST_F(AttachmentTest, AChildBornWhileItsParentsEventsAreOpenedIsWatchedWaitingByItsOwn) {
  Attachment attachment = make(true);
  attachment.attach(threads({50}));
  attachment.born(60, 50, fake.now_ns - 1);
  EXPECT_TRUE(attachment.watches(60));
  ASSERT_TRUE(attachment.lacks_waits());
  EXPECT_TRUE(attachment.attach({}));
  EXPECT_EQ(fake.count(kSwitches, 60), 2u);
  EXPECT_FALSE(attachment.lacks_waits());
  // One born later has its parent's.
  attachment.born(61, 50, fake.now_ns + 100 * kAttachMs);
  EXPECT_FALSE(attachment.lacks_waits());
  EXPECT_FALSE(attachment.attach({}));
  EXPECT_EQ(fake.count(kSwitches, 61), 0u);
}

TEST_F(AttachmentTest, SampledByThreadAChildBornMidwayIsNotTakenForInherited) {
  Attachment attachment = make(false);
  attachment.attach(threads({50}));
  attachment.born(60, 50, fake.now_ns - 1);
  EXPECT_FALSE(attachment.watches(60));
  EXPECT_TRUE(attachment.take_torn());
  EXPECT_FALSE(attachment.take_torn());
  attachment.born(61, 50, fake.now_ns + 100 * kAttachMs);
  EXPECT_TRUE(attachment.watches(61));
  EXPECT_FALSE(attachment.take_torn());
}

TEST_F(AttachmentTest, ThreadsThatAppearDuringARestAreWatchedFromItsEnd) {
  Attachment attachment = make(true);
  attachment.attach(threads({50}));
  attachment.rest_off_cpu();
  attachment.attach(threads({50, 51}));
  attachment.born(60, 50, fake.now_ns + 100 * kAttachMs);
  EXPECT_EQ(fake.count(kSwitches, 51), 0u);
  EXPECT_FALSE(attachment.lacks_waits());
  attachment.resume_off_cpu();
  for (const Pid tid : {51, 60}) EXPECT_EQ(fake.count(kSwitches, tid), 2u) << tid;
  EXPECT_EQ(fake.count(kSwitches, 50), 4u) << "opened anew";
}

TEST_F(AttachmentTest, AThreadThatIsGoneIsNotWatched) {
  fake.refuse = [](const perf_event_attr&, Pid tid) { return tid == 51 ? ESRCH : 0; };
  Attachment attachment = make(true);
  attachment.attach(threads({50, 51}));
  EXPECT_TRUE(attachment.watches(50));
  EXPECT_FALSE(attachment.watches(51));
  EXPECT_EQ(attachment.problem(), "");
}

}  // namespace
}  // namespace plumb::stack_profile
