// Walks below /proc that need no more than directory listings.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_PROC_WALK_H_
#define PLUMB_PLUGINS_SQLITE_STATS_PROC_WALK_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace plumb::sqlite_stats {

// The entries of a directory whose names are numbers, ascending; empty when it cannot be listed.
std::vector<int32_t> numbered_entries(const std::string& directory);

// The processes that have this file open, found by looking at PROC_ROOT/*/fd: for rollback-journal
// databases, whose waiters hold no lock at all. Ascending, this process left out. Costs about a
// microsecond per open descriptor on the machine.
std::vector<int32_t> find_openers(const std::string& proc_root, dev_t device, uint64_t inode);

// The name of a process ("shop"), or "?" when it is gone.
std::string command_of(const std::string& proc_root, int32_t pid);

// True when the process has glibc mapped; false also when that cannot be read, or for static
// programs.
bool maps_glibc(const std::string& proc_root, int32_t pid);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_PROC_WALK_H_
