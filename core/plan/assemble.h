// Turns checked values into a Plan, and checks what no single key can tell: that the parts of the
// plan agree with each other.
#ifndef PLUMB_CORE_PLAN_ASSEMBLE_H_
#define PLUMB_CORE_PLAN_ASSEMBLE_H_

#include <vector>

#include "core/plan/check.h"
#include "core/plan/plan.h"

namespace plumb::plan {

Plan assemble(const Checked& checked, const std::vector<PluginOptions>& plugins,
              bool may_name_files, Problems& problems);

}  // namespace plumb::plan

#endif  // PLUMB_CORE_PLAN_ASSEMBLE_H_
