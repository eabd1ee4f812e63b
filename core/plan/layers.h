// Puts what was given outside the file over the file's tree, layer by layer.
#ifndef PLUMB_CORE_PLAN_LAYERS_H_
#define PLUMB_CORE_PLAN_LAYERS_H_

#include <string>
#include <vector>

#include "core/plan/load_plan.h"
#include "core/plan/problems.h"
#include "core/plan/schema.h"
#include "core/plan/yaml_tree.h"

namespace plumb::plan {

// PLUMB_LOAD_RATE for load.rate.
std::string variable_of(std::string_view key);

// Flags and PLUMB_* variables. Variables that look like a key and are none give a warning.
void apply_overrides(Node& root, const SchemaNode& schema, const Inputs& inputs, Problems& problems,
                     std::vector<std::string>& warnings);

// ${VAR} and ${VAR:-default} in the values that the file gave; $${ stands for ${.
void substitute_variables(Node& root, const Inputs& inputs, Problems& problems);

// Expands load.profile, settles load.model, and drops keys of the other model that a higher layer
// made idle; a contradiction within one layer is a problem.
void settle_load(Node& root, Problems& problems);

// Fills in the names that follow from elsewhere: the plan's, the requests', and the one request of
// a plan that lists none.
void settle_names(Node& root, const std::string& plan_name);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_LAYERS_H_
