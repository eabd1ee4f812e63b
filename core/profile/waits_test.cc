#include "core/profile/waits.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/profile/functions.h"

namespace plumb::profile {
namespace {

TEST(Waits, AreToldByAFunctionPeopleKnowAndByItsCaller) {
  CallTree tree;
  tree.add("shop;worker;take;pthread_mutex_lock;__lll_lock_wait;futex_wait_[k];schedule_[k]", 3);
  tree.add("shop;worker;give;pthread_mutex_lock;__lll_lock_wait;futex_wait_[k]", 1);
  const auto waits = waits_of(tree);
  ASSERT_EQ(waits.size(), 2u);
  EXPECT_EQ(waits[0].function, "pthread_mutex_lock");
  EXPECT_EQ(waits[0].caller, "take");
  EXPECT_EQ(waits[0].weight, 3);
  EXPECT_EQ(waits[1].caller, "give");
}

TEST(Waits, ForWorkStandBehindAllOthers) {
  CallTree tree;
  tree.add("shop;loop;epoll_wait;do_epoll_wait_[k]", 9);
  tree.add("shop;listen_loop;accept4;inet_csk_accept_[k]", 8);
  tree.add("shop;query;PQexec;poll;do_sys_poll_[k]", 1);
  const auto waits = waits_of(tree);
  ASSERT_EQ(waits.size(), 3u);
  EXPECT_EQ(waits[0].function, "poll");
  EXPECT_EQ(waits[0].caller, "PQexec");
  EXPECT_FALSE(waits[0].idle);
  EXPECT_TRUE(waits[1].idle && waits[2].idle);
  EXPECT_EQ(waits[1].function, "epoll_wait");
}

TEST(Waits, OfAnInterpretedProgramNameItsOwnFunction) {
  CallTree tree;
  tree.add("python;py::fetch:/srv/shop.py;sock_recv;recv;tcp_recvmsg_[k]", 2);
  EXPECT_EQ(waits_of(tree)[0].caller, "py::fetch:/srv/shop.py");
}

TEST(Waits, HelpersOfTheCLibraryOwnNoTime) {
  CallTree tree;
  tree.add("shop;worker;pthread_cond_wait;__futex_abstimed_wait_common;futex_wait_[k]", 2);
  tree.add("shop;[libc.so.6];__clone_helper;nap_[k]", 1);
  std::map<std::string, double> self;
  for (const FunctionWeight& function : functions_of(tree, KernelTime::kIsItsCallers))
    self[function.name] = function.self[kRun];
  EXPECT_EQ(self["pthread_cond_wait"], 2);
  EXPECT_EQ(self["__futex_abstimed_wait_common"], 0);
  EXPECT_EQ(self["__clone_helper"], 1) << "code without a name tells less";
}

TEST(Waits, OfAThreadOfTheKernelAreItsOwn) {
  CallTree tree;
  tree.add("kworker_[k];worker_thread_[k]", 1);
  EXPECT_EQ(waits_of(tree)[0].function, "worker_thread_[k]");
  EXPECT_EQ(waits_of(tree)[0].caller, "");
}

}  // namespace
}  // namespace plumb::profile
