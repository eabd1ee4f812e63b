// What only a walk over /proc can tell of the processes that use a database.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_OPENERS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_OPENERS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::sqlite_stats {

// The processes that have this file open, found by looking at their descriptors: for
// rollback-journal databases, whose waiters hold no lock at all. Ascending, this process left out.
// Costs about a microsecond per open descriptor on the machine.
std::vector<proc::Pid> find_openers(const proc::Root& root, dev_t device, uint64_t inode);

// The name of a process ("shop"); "?" when it is gone, "outside" for pid 0, which stands for a
// process that plumb's PID namespace does not show.
std::string command_of(const proc::Root& root, proc::Pid pid, proc::Buffer& buffer);

// True when the process has glibc mapped; false also when that cannot be read, or for static
// programs.
bool maps_glibc(const proc::Root& root, proc::Pid pid, proc::Buffer& buffer);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_OPENERS_H_
