// Parsers for the per-process files of /proc. They take text and give nothing for text that is
// torn, hostile or of another format: never a partial value.
#ifndef PLUMB_PLUGINS_PROC_STAT_H_
#define PLUMB_PLUGINS_PROC_STAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/proc/root.h"

namespace plumb::proc {

// /proc/PID/stat (the whole thread group, threads that have ended included) or
// /proc/PID/task/TID/stat (one thread). Ticks are 1 / ticks_per_second() of a second.
struct Stat {
  Pid pid = 0;
  std::string comm;  // at most 15 bytes; may hold spaces and parentheses
  char state = '?';  // R running, S asleep, D uninterruptible, Z zombie, ...
  Pid ppid = 0;
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  uint64_t reaped_user_ticks = 0;    // of children that have ended and been waited for
  uint64_t reaped_system_ticks = 0;  // likewise
  uint64_t threads = 0;
  uint64_t start_ticks = 0;  // since boot: with pid, this names a process for good
  uint64_t resident_pages = 0;
  uint64_t minor_faults = 0;  // page faults served without the disk
  uint64_t major_faults = 0;  // page faults that waited for it
};
std::optional<Stat> parse_stat(std::string_view text);

// Of a thread's stat file: the ticks it waited for block I/O; they stand still while
// kernel.task_delayacct is off.
std::optional<uint64_t> parse_block_delay(std::string_view text);

// Only the state letter of a stat file; 0 when there is none. Cheap: for frequent sampling.
char parse_state(std::string_view text);

// /proc/PID/task/TID/schedstat: one thread. (/proc/PID/schedstat is the leader's alone, not the
// process's: sum over the tasks.)
struct SchedStat {
  uint64_t run_ns = 0;   // on a processor
  uint64_t wait_ns = 0;  // runnable and waiting for one
  uint64_t slices = 0;
};
std::optional<SchedStat> parse_schedstat(std::string_view text);

// voluntary_ctxt_switches and nonvoluntary_ctxt_switches of /proc/PID/task/TID/status: one thread.
struct Switches {
  uint64_t voluntary = 0;
  uint64_t involuntary = 0;
};
std::optional<Switches> parse_switches(std::string_view text);

// read_bytes and write_bytes of /proc/PID/io: what reached the storage layer, whole thread group.
struct StorageBytes {
  uint64_t read = 0;
  uint64_t written = 0;
};
std::optional<StorageBytes> parse_io(std::string_view text);

uint64_t ticks_per_second();
uint64_t page_bytes();

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_STAT_H_
