#include "plugins/stack_profile/lock_wait.h"

#include <gtest/gtest.h>

namespace plumb::stack_profile {
namespace {

TEST(LockWaits, AreKnownByTheFunctionThatTakesTheLock) {
  for (const char* function :
       {"pthread_mutex_lock", "___pthread_mutex_lock", "__pthread_mutex_lock@GLIBC_2.2.5",
        "__lll_lock_wait", "pthread_rwlock_wrlock", "take_gil", "ObjectMonitor::enter(JavaThread*)",
        "std::sys::sync::mutex::futex::Mutex::lock_contended",
        "parking_lot::raw_mutex::RawMutex::lock_slow"})
    EXPECT_TRUE(takes_lock(function)) << function;
}

TEST(LockWaits, AreNotWaitsForWork) {
  for (const char* function :
       {"pthread_cond_wait", "__futex_abstimed_wait_common", "epoll_wait", "accept", "sem_wait",
        "pthread_mutex_unlock", "read", "clock_nanosleep", "unlock_take_gil_later"})
    EXPECT_FALSE(takes_lock(function)) << function;
}

}  // namespace
}  // namespace plumb::stack_profile
