#include "plugins/host_metrics/target_sockets.h"

#include <gtest/gtest.h>

#include "plugins/proc/fake_proc.h"
#include "tests/support/recording_host.h"

namespace plumb::host_metrics {
namespace {

using proc::FakeProc;
using proc::Pid;
using proc::TcpSocket;
using test_support::RecordingHost;

constexpr int64_t kSpan = 100'000'000;

TcpSocket listener(uint64_t inode, uint16_t port, uint32_t waiting, uint32_t limit) {
  TcpSocket s;
  s.state = 10;
  s.inode = inode;
  s.local_port = port;
  s.receive_queue = waiting;
  s.send_queue = limit;
  return s;
}

class Listeners final : public SocketSource {
 public:
  Status open(std::span<const uint16_t>, std::vector<TcpSocket>&) override {
    ++resolves;
    return Status::ok();
  }
  Status listening(std::vector<TcpSocket>& out) override {
    ++lists;
    out.insert(out.end(), all.begin(), all.end());
    return Status::ok();
  }
  Status connections(std::vector<TcpSocket>&) override { return Status::ok(); }
  Status again(std::span<const TcpSocket> asked, std::vector<TcpSocket>& out) override {
    // As the kernel: a lookup by address finds one of those that share it.
    std::vector<uint16_t> found;
    for (const TcpSocket& a : asked) {
      if (std::find(found.begin(), found.end(), a.local_port) != found.end()) continue;
      found.push_back(a.local_port);
      for (const TcpSocket& s : all) {
        if (s.inode == a.inode) out.push_back(s);
      }
    }
    return Status::ok();
  }
  std::vector<TcpSocket> all;
  int lists = 0;
  int resolves = 0;
};

TEST(AcceptQueues, MeanAndLongestOfTheLooks) {
  Listeners source;
  AcceptQueues queues(source);
  source.all = {listener(1, 80, 0, 128), listener(9, 22, 5, 10)};
  const uint64_t own[] = {1};
  queues.resolve(source.all, own, kSpan);
  source.all[0].receive_queue = 6;
  ASSERT_TRUE(queues.look(kSpan));
  const auto readings = queues.take();
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].port, 80);
  EXPECT_EQ(readings[0].mean, 3);
  EXPECT_EQ(readings[0].longest, 6);
  EXPECT_EQ(readings[0].limit, 128);
  EXPECT_TRUE(queues.take().empty());
  ASSERT_TRUE(queues.look(5 * kSpan));
  source.all[0].receive_queue = 0;
  ASSERT_TRUE(queues.look(kSpan));
  EXPECT_EQ(queues.take().at(0).mean, 5) << "a look counts for the time it stands for";
}

TEST(AcceptQueues, WorkersThatShareAPortAreOneQueue) {
  Listeners source;
  AcceptQueues queues(source);
  source.all = {listener(1, 80, 2, 100), listener(2, 80, 3, 100)};
  const uint64_t own[] = {1, 2};
  queues.resolve(source.all, own, kSpan);
  (void)queues.take();
  ASSERT_TRUE(queues.look(kSpan));
  EXPECT_EQ(source.lists, 1) << "a lookup finds one of the two only";
  const auto readings = queues.take();
  EXPECT_EQ(readings.at(0).mean, 5);
  EXPECT_EQ(readings.at(0).limit, 200);
}

class TargetSocketsTest : public ::testing::Test {
 protected:
  void second() {
    sockets_.second(now_ += 1'000'000'000, target_, opened_, outlet_, problems_);
    outlet_.flush();
  }
  FakeProc fake_;
  RecordingHost host_;
  Outlet outlet_{Host(host_.get())};
  Problems problems_;
  Listeners source_;
  TargetSockets sockets_{fake_.root(), source_, 5};
  std::vector<Pid> target_{10};
  int64_t now_ = 0;
  std::optional<uint64_t> opened_;
};

TEST_F(TargetSocketsTest, TheQueueIsToldByPortAndTheDescriptorsCounted) {
  fake_.add({.pid = 10});
  fake_.descriptor(10, 3, "socket:[1]");
  fake_.descriptor(10, 4, "/dev/null");
  source_.all = {listener(1, 80, 4, 50)};
  second();
  second();
  EXPECT_EQ(host_.last("target_accept_queue{port=80}"), 4);
  EXPECT_EQ(host_.last("target_accept_queue_max{port=80}"), 4);
  EXPECT_EQ(host_.last("target_accept_queue_limit{port=80}"), 50);
  EXPECT_EQ(host_.last("target_descriptors"), 2);
  EXPECT_FALSE(host_.last("target_descriptors_limit")) << "nothing says it";
}

TEST_F(TargetSocketsTest, DescriptorsOfSeveralProcessesAreHeldAgainstWhatTheyMayHaveTogether) {
  target_ = {10, 11};
  for (const Pid pid : target_) {
    fake_.add({.pid = pid});
    fake_.descriptor(pid, 3, "/dev/null");
    fake_.write("proc/" + std::to_string(pid) + "/limits", "Max open files 1000 5000 files\n");
  }
  second();
  EXPECT_EQ(host_.last("target_descriptors"), 2);
  EXPECT_EQ(host_.last("target_descriptors_limit"), 2000);
}

TEST_F(TargetSocketsTest, DescriptorsThatCouldNotBeReadOnceAreReadAgainAndNoLongerSaid) {
  fake_.add({.pid = 10});
  fake_.write("proc/10/fd", "no directory");
  source_.all = {listener(1, 80, 4, 50)};
  second();
  EXPECT_NE(problems_.text().find("process 10"), std::string::npos);
  EXPECT_FALSE(host_.last("target_descriptors"));
  fake_.remove("proc/10/fd");
  fake_.descriptor(10, 3, "socket:[1]");
  for (int i = 0; i < 40; ++i) second();
  EXPECT_EQ(host_.last("target_accept_queue{port=80}"), 4);
  EXPECT_EQ(host_.last("target_descriptors"), 1);
  EXPECT_TRUE(problems_.empty()) << problems_.text();
}

TEST_F(TargetSocketsTest, ConnectionsAreListedWhenSomeWereOpenedAndEveryThirtySeconds) {
  fake_.add({.pid = 10});
  opened_ = 100;
  second();
  EXPECT_EQ(source_.resolves, 1);
  for (int i = 0; i < 20; ++i) second();
  EXPECT_EQ(source_.resolves, 1) << "nobody has opened any";
  opened_ = 101;
  second();
  EXPECT_EQ(source_.resolves, 2);
  for (int i = 0; i < 30; ++i) second();
  EXPECT_EQ(source_.resolves, 3);
  sockets_.forget();
  second();
  EXPECT_EQ(source_.resolves, 4) << "the target is another process";
  opened_.reset();
  second();
  second();
  EXPECT_EQ(source_.resolves, 6) << "nothing tells whether any were opened";
}

TEST_F(TargetSocketsTest, ATargetThatIsGoneHasNoQueue) {
  fake_.add({.pid = 10});
  fake_.descriptor(10, 3, "socket:[1]");
  source_.all = {listener(1, 80, 4, 50)};
  second();
  second();
  const size_t before = host_.series("target_accept_queue{port=80}").size();
  target_.clear();
  fake_.end(10);
  second();
  second();
  sockets_.tick(now_, target_, problems_);
  EXPECT_LE(host_.series("target_accept_queue{port=80}").size(), before + 1);
  EXPECT_TRUE(problems_.empty()) << problems_.text();
}

}  // namespace
}  // namespace plumb::host_metrics
