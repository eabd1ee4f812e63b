// Whose own code the time went to, in a profile of a program that an interpreter runs.
#ifndef PLUMB_CORE_PROFILE_OWN_FUNCTIONS_H_
#define PLUMB_CORE_PROFILE_OWN_FUNCTIONS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/profile/call_tree.h"
#include "core/profile/functions.h"

namespace plumb::profile {

// Functions of a program written in Python or JavaScript, as perf maps name them
// ("py::price:shop.py", "JS:*price /srv/shop.js:1:2"). What the interpreter, native libraries and
// the language's own library spent for one of them is its own; of a stack without any, the
// innermost function of the language has it. Empty for a profile without such frames.
std::vector<FunctionWeight> own_functions_of(const CallTree& tree);

// Of each node the node of the function that has its time as its own, or CallTree::kRoot.
std::vector<uint32_t> owners_of(const CallTree& tree);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_OWN_FUNCTIONS_H_
