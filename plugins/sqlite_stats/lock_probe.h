// Asking the kernel who holds SQLite's locks on open files.
//
// fcntl(F_GETLK) takes no lock and answers for one file in well under a microsecond. Reading
// /proc/locks instead walks the locks of the whole machine while no program can take or free any,
// and, read less than some hundred times a second, waits for several milliseconds each time until
// the kernel has told all processors.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_LOCK_PROBE_H_
#define PLUMB_PLUGINS_SQLITE_STATS_LOCK_PROBE_H_

#include <plumb/status.hpp>
#include <vector>

#include "locks.h"

namespace plumb::sqlite_stats {

// The state at this instant. `shm_fd` is -1 when there is no -shm file. This process must hold no
// lock on the files; it would not be told of its own. UNAVAILABLE where the file system answers no
// such question.
Result<LockState> ask_locks(int database_fd, int shm_fd);

// Who holds the read slots: of each slot the process that has held it longest, since the kernel
// names one. Empty where nobody does, or where the question is not answered.
void ask_readers(int shm_fd, std::vector<ReaderLock>& readers);

// True when some connection has the -shm file open, as its lock on byte 128 says.
bool is_in_use(int shm_fd);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_LOCK_PROBE_H_
