// A profile by function, whatever the path that led there.
#ifndef PLUMB_CORE_PROFILE_FUNCTIONS_H_
#define PLUMB_CORE_PROFILE_FUNCTIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/profile/call_tree.h"

namespace plumb::profile {

struct FunctionWeight {
  std::string name;
  Weights self = {};   // with nothing below it
  Weights total = {};  // it or what it called; a function that calls itself counts once
};

// Whose own the time in functions of the kernel (their names end in _[k]) is: theirs, or that of
// the function which called it.
enum class KernelTime { kIsItsOwn, kIsItsCallers };

// Of off_cpu the caller's: a thread that waits is inside the kernel whatever it waits for.
KernelTime kernel_time_of(std::string_view profile);

// The function that a thread waits in, by the innermost frame of its stack: the nearest one outside
// the kernel that people know, helpers of the C library (__lll_lock_wait) passed over. Of a thread
// of the kernel the frame itself.
uint32_t waiting_function(const CallTree& tree, uint32_t node);

// Every function of the tree, in the order of the names.
std::vector<FunctionWeight> functions_of(const CallTree& tree, KernelTime kernel_time);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_FUNCTIONS_H_
