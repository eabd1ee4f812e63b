// How much load a plan asked for, as its load plugin said while the run went.
#ifndef PLUMB_CORE_FACTS_LOAD_LEVEL_H_
#define PLUMB_CORE_FACTS_LOAD_LEVEL_H_

#include "core/facts/facts.h"

namespace plumb::facts {

// Whether the load stayed within 5% from the window's beginning to its end. Of a run that says
// nothing of it, whoever named the stages vouches for that.
bool is_even_load(const store::RunData& run, const Window& window);

// Whether as much load was asked for in both windows, within 5%.
bool is_same_load(const store::RunData& run, const Window& one, const Window& other);

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_LOAD_LEVEL_H_
