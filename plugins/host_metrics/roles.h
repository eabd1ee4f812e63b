// Whose a process is. A process that is the target's stays so even when plumb started it.
#ifndef PLUMB_PLUGINS_HOST_METRICS_ROLES_H_
#define PLUMB_PLUGINS_HOST_METRICS_ROLES_H_

#include <span>
#include <string_view>
#include <vector>

#include "plugins/proc/processes.h"

namespace plumb::host_metrics {

enum class Role { kTarget, kPlumb, kDatabase, kOther };

std::string_view role_name(Role role);

// Pids ascending in each.
struct Roles {
  std::vector<proc::Pid> target, plumb, database;
  Role of(proc::Pid pid) const;
  bool operator==(const Roles&) const = default;
};

// `self` is this process. Plumb's are: self, its parent when that is a plumb binary, all that
// these started, and other plumb binaries wherever they run.
Roles assign_roles(const proc::ProcessList& list, std::span<const proc::Pid> target,
                   proc::Pid self);

bool is_database(std::string_view comm);
bool is_plumb(std::string_view comm);

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_ROLES_H_
