// A profile by function, whatever the path that led there.
#ifndef PLUMB_CORE_PROFILE_FUNCTIONS_H_
#define PLUMB_CORE_PROFILE_FUNCTIONS_H_

#include <string>
#include <vector>

#include "core/profile/call_tree.h"

namespace plumb::profile {

struct FunctionWeight {
  std::string name;
  Weights self = {};   // with nothing below it
  Weights total = {};  // it or what it called; a function that calls itself counts once
};

// Every function of the tree, in the order of the names.
std::vector<FunctionWeight> functions_of(const CallTree& tree);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_FUNCTIONS_H_
