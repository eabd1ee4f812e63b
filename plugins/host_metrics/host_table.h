// The table `host`: what machine this is, what the target is, and what could not be read.
#ifndef PLUMB_PLUGINS_HOST_METRICS_HOST_TABLE_H_
#define PLUMB_PLUGINS_HOST_METRICS_HOST_TABLE_H_

#include <string>
#include <utility>
#include <vector>

#include "plugins/host_metrics/problems.h"
#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

using Rows = std::vector<std::pair<std::string, std::string>>;

// Kernel, processor model; what cannot be read is left out.
Rows describe_machine(const proc::Root& root);

// The cgroup that a process is in, and the processor quota that binds it.
Rows describe_cgroup(const proc::Root& root, proc::Pid pid);

// plumb_table.json with the columns key and value; one row "cannot see" per problem.
std::string host_table_json(const Rows& rows, const Problems& problems);

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_HOST_TABLE_H_
