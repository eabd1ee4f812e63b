// Which off-CPU stacks are threads that wait for a lock of their own process, and whose. Waiting
// for work (a condition, a queue, a socket) is none.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_LOCK_WAIT_H_
#define PLUMB_PLUGINS_STACK_PROFILE_LOCK_WAIT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plugins/stack_profile/symbolizer.h"

namespace plumb::stack_profile {

// Whether a function takes a lock: a mutex, a read-write lock, a monitor, an interpreter's lock.
bool takes_lock(std::string_view function);

// Frames as indexes of the stack, counted from its outermost.
struct LockWait {
  size_t call = 0;                 // the function that takes the lock
  std::optional<size_t> function;  // who called it, wrappers of the language left out
};

// Empty where the thread waits for something else. `frames` begin with the outermost.
std::optional<LockWait> lock_wait_in(const Symbolizer& symbolizer,
                                     std::span<const uint32_t> frames);

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_LOCK_WAIT_H_
