// Which sockets a process holds, and which listen. Reads <proc>; the network namespace is that of
// the caller.
#ifndef PLUMB_PLUGINS_PROC_SOCKETS_H_
#define PLUMB_PLUGINS_PROC_SOCKETS_H_

#include <plumb/status.hpp>

#include <cstdint>
#include <optional>
#include <vector>

#include "plugins/proc/root.h"

namespace plumb::proc {

struct Listener {
  uint16_t port = 0;
  uint64_t inode = 0;
};

// TCP listeners, v4 and v6: through sock_diag when `root` is the machine's own /proc (cheap), else
// or when that is refused from <proc>/net/tcp and tcp6 (milliseconds on a large machine).
Result<std::vector<Listener>> list_listeners(const Root& root);

// The sockets a process has open, by inode, ascending. PERMISSION_DENIED when they belong to
// another user and this one lacks CAP_SYS_PTRACE; NOT_FOUND when the process is gone; UNAVAILABLE
// when they cannot be read now.
Result<std::vector<uint64_t>> list_sockets(const Root& root, Pid pid);

// How many descriptors a process has open: told by the kernel at once (Linux 6.2 and later), else
// counted. Errors as list_sockets().
Result<size_t> count_descriptors(const Root& root, Pid pid);

// How many it may have open (the soft limit); none where that cannot be read.
std::optional<uint64_t> descriptor_limit(const Root& root, Pid pid);

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_SOCKETS_H_
