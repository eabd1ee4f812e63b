// What the threads of a program waited in, and for whom.
#ifndef PLUMB_CORE_PROFILE_WAITS_H_
#define PLUMB_CORE_PROFILE_WAITS_H_

#include <string>
#include <vector>

#include "core/profile/call_tree.h"

namespace plumb::profile {

struct Wait {
  std::string function;  // see waiting_function
  std::string caller;    // the program's own function if an interpreter runs it, otherwise the next
                         // frame outwards; empty where it has no name
  double weight = 0;
  // Waiting for work: no request is held up by it (accept, epoll_wait). A poll or a read may be
  // either; its caller tells.
  bool idle = false;
};

// Of an off_cpu profile, the heaviest first, idle waits behind all others.
std::vector<Wait> waits_of(const CallTree& tree);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_WAITS_H_
