// The threads of one process of the target: time on processors and waiting for them, switches, and
// states. Threads that do nothing are read rarely: their counters stand still. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_TARGET_THREADS_H_
#define PLUMB_PLUGINS_HOST_METRICS_TARGET_THREADS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "plugins/proc/file.h"
#include "plugins/proc/root.h"
#include "plugins/proc/stat.h"

namespace plumb::host_metrics {

// What all updates of one second share.
struct ThreadReading {
  proc::Buffer& buffer;
  int64_t now_ns = 0;
  int64_t before_ns = 0;     // when the update before was; now_ns at the first
  bool scarce = false;       // descriptors are: those who do nothing give theirs back
  bool all = false;          // read every thread and all that is known of it
  bool block_delay = false;  // the kernel accounts for it, and nobody tells it per process
  size_t switch_reads = 0;   // how many more threads' switches may be read
};

// What one update brought, summed over threads.
struct ThreadGrowth {
  uint64_t ran_ns = 0;
  uint64_t waited_ns = 0;
  uint64_t voluntary = 0;
  uint64_t involuntary = 0;
  uint64_t block_delay_ticks = 0;
  double busiest = 0;      // processor share of the busiest thread since it was last read
  size_t runnable = 0;     // threads above 5% of a processor
  bool scheduled = false;  // the kernel has scheduler statistics
  bool switches = false;   // and tells switches
};

class TargetThreads {
 public:
  struct Thread {
    proc::KeptFile schedstat, stat, status;
    int64_t read_ns = 0;
    bool born = false;     // under watch: its past counts
    bool has_run = false;  // its scheduler statistics were read
    proc::SchedStat last;
    uint64_t first_run_ns = 0;  // what it had run when first seen; 0 when born under watch
    uint64_t switches_at = 0;   // slices when its switches were last read
    uint64_t switches_due = 0;  // the update in which they are read though they are few
    std::optional<proc::Switches> switches;
    std::optional<uint64_t> block_delay_ticks;
    int idle = 0;  // reads in a row that found it had not run
    uint64_t due = 0;
    bool seen = false;
    char state = '\0';
    std::optional<proc::SchedStat> fresh;  // read by moved() for the update that follows it

    void close();
  };

  // `kept` bounds the descriptors that stay open; like `root` it outlives this.
  TargetThreads(const proc::Root& root, proc::Pid pid, proc::DescriptorAllowance& kept)
      : root_(root), pid_(pid), kept_(kept) {}

  // `count`: threads as the process's own stat tells. `process_ns`: processor time the process used
  // since the update before, to a tick: more than its lively threads account for is looked for
  // among the others. `watched`: the process was there at the update before, or was born since, so
  // that a new thread's past counts.
  ThreadGrowth update(ThreadReading& reading, uint64_t count, uint64_t process_ns, bool watched);

  // Of a process with one thread: false when that has not run since the update before, so that
  // nothing about the process can have changed.
  bool moved(ThreadReading& reading);

  const std::map<proc::Pid, Thread>& all() const { return threads_; }
  // Threads worth a look at their state: those that ran lately or sleep uninterruptibly.
  void lively(std::vector<Thread*>& out);

 private:
  // Keeps those it knows when they cannot be listed.
  void list(const ThreadReading& reading, bool watched);
  void read(Thread& t, ThreadReading& reading, ThreadGrowth& growth);
  void read_switches(Thread& t, ThreadReading& reading, ThreadGrowth& growth);

  const proc::Root& root_;
  proc::Pid pid_;
  proc::DescriptorAllowance& kept_;
  std::map<proc::Pid, Thread> threads_;
  uint64_t updates_ = 0;
  uint64_t next_list_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_TARGET_THREADS_H_
