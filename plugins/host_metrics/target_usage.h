// What the target's processes and threads use, as totals that never fall while processes and
// threads come and go. Not thread-safe.
//
// Where the figures come from, and why:
//  - Processor time is the larger of two: the sum over threads of schedstat (nanoseconds, but a
//    thread that ends takes along what it used since the last reading), and utime + stime of the
//    process (includes ended threads, but in hundredths of a second). What children used that came
//    and went between two readings is taken from their parents' reaped times.
//  - /proc/PID/schedstat and the switches in /proc/PID/status are of the main thread alone, so both
//    are read per thread.
//  - Run-queue delay likewise is the larger of the threads' schedstat and what taskstats tells of
//    the process, ended threads included, where this user may ask.
#ifndef PLUMB_PLUGINS_HOST_METRICS_TARGET_USAGE_H_
#define PLUMB_PLUGINS_HOST_METRICS_TARGET_USAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plugins/host_metrics/delay_source.h"
#include "plugins/host_metrics/monotonic.h"
#include "plugins/host_metrics/target_threads.h"
#include "plugins/proc/file.h"
#include "plugins/proc/processes.h"
#include "plugins/proc/root.h"

namespace plumb::host_metrics {

// Totals since the watch began, and what is now. Absent: could not be read.
struct TargetTotals {
  size_t processes = 0;
  size_t threads = 0;
  uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
  double user_seconds = 0;  // these two sum to cpu_seconds
  double system_seconds = 0;
  uint64_t minor_faults = 0;
  uint64_t major_faults = 0;
  std::optional<double> runqueue_seconds;
  std::optional<double> busiest_thread_ratio;  // since the update before, at most 1
  std::optional<size_t> runnable_threads;      // above 5% of a processor since then
  std::optional<uint64_t> read_bytes;
  std::optional<uint64_t> written_bytes;
  std::optional<uint64_t> voluntary_switches;
  std::optional<uint64_t> involuntary_switches;
  // What its threads waited for, summed; only while the kernel accounts for delays.
  std::optional<double> block_io_seconds;
  std::optional<double> memory_seconds;  // swapping in, reclaiming, thrashing
  bool io_denied = false;                // /proc/PID/io of another user's process
};

// How many threads are in which state at an instant.
struct ThreadStates {
  double running = 0;  // or waiting for a processor
  double uninterruptible = 0;
  double sleeping = 0;
};

// One process, as of the last update. Seconds and counts are since it was first seen.
struct ProcessUse {
  proc::Pid pid = 0;
  uint64_t start_ticks = 0;
  std::string command;
  size_t threads = 0;
  uint64_t resident_bytes = 0;
  double user_seconds = 0, system_seconds = 0;
  double runqueue_seconds = 0;
  std::optional<double> block_io_seconds;
  uint64_t minor_faults = 0, major_faults = 0;
  proc::Pid busiest_thread = 0;  // that used most processor time; 0: not known
  double busiest_seconds = 0;
};

class TargetUsage {
 public:
  // `delays` may be null: then nothing asks the kernel for delay accounting.
  explicit TargetUsage(proc::Root root, std::unique_ptr<DelaySource> delays = nullptr);

  // Reads what may have changed; the next one after `read_all()` everything. `pids` ascending;
  // `now_ns` of the monotonic clock, larger than before. What it reads of processes it notes in
  // `list`, if there is one.
  TargetTotals update(std::span<const proc::Pid> pids, int64_t now_ns,
                      proc::ProcessList* list = nullptr);
  void read_all() { read_all_ = true; }

  // A look at the threads that ran lately or slept uninterruptibly; the others sleep. Of more than
  // 16 it looks at 16, others at each call, and scales; at 128 while some are seen to sleep
  // uninterruptibly. Absent without any thread.
  std::optional<ThreadStates> look_at_threads();

  std::vector<ProcessUse> by_process() const;

  // Whether the kernel accounts for delays, as of one of the last ten updates.
  enum class Accounting { kOff, kOn, kUnknown };
  Accounting accounting() const { return accounting_; }

  // When the last update began, in ticks since boot; 0 when unknown.
  uint64_t last_update_ticks() const { return last_update_ticks_; }

 private:
  struct Process {
    Process(const proc::Root& root, proc::Pid pid, proc::DescriptorAllowance& kept);
    uint64_t start_ticks = 0;
    proc::Pid parent = 0;
    std::string command;
    proc::KeptFile stat, io;
    bool seen = false;
    bool born = false;          // under watch: its past counts
    proc::Stat last;            // largest of each counter read
    proc::Stat first;           // when first read; zeros when born under watch
    uint64_t scheduled_ns = 0;  // sum of its threads' growth
    uint64_t counted_ns = 0;    // what it has put into the total
    uint64_t waited_ns = 0;     // sum of its threads' run-queue delay
    uint64_t waited_counted_ns = 0;
    std::optional<proc::Delays> first_delays, delays;
    int updates_unasked = 0;         // for them
    uint64_t block_delay_ticks = 0;  // where threads are asked
    std::optional<proc::StorageBytes> io_last;
    TargetThreads threads;
  };
  struct Interval {
    TargetTotals totals;
    double busiest = 0;
    size_t runnable = 0;
    bool any_schedstat = false;
    bool any_io = false;
    bool any_switches = false;
    bool any_delays = false;
  };

  void update_one(proc::Pid pid, ThreadReading& reading, proc::ProcessList* list, Interval& now);
  void update_process(const proc::Stat& stat, Process& p, ThreadReading& reading, Interval& now);
  bool delays_due(Process& p) const;
  void update_delays(proc::Pid pid, Process& p, Interval& now);
  void note_unanswered(const Status& why);
  void update_io(Process& p, Interval& now);
  void count_standing(const Process& p, Interval& now) const;
  void finish(Interval& now, int64_t length_ns);
  void forget_ended();
  void read_accounting();
  uint64_t ticks_since_boot();

  proc::Root root_;
  std::unique_ptr<DelaySource> delays_;
  proc::Buffer buffer_;
  proc::KeptFile uptime_, accounting_file_;
  proc::DescriptorAllowance kept_;  // of processes and their threads
  Accounting accounting_ = Accounting::kUnknown;
  unsigned accounting_age_ = 0;   // updates with processes
  bool delays_refused_ = false;   // for good: threads are asked instead
  bool delays_answered_ = false;  // once at least: threads are never asked
  uint64_t delays_due_ = 0;       // the update at which to ask again after a failure
  uint64_t delays_pause_ = 1;     // updates
  uint64_t updates_ = 0;
  std::map<proc::Pid, Process> processes_;
  std::vector<TargetThreads::Thread*> lively_;
  size_t threads_ = 0;
  bool read_all_ = true;
  bool updated_ = false;
  int64_t last_update_ns_ = 0;
  uint64_t last_update_ticks_ = 0;  // since boot
  size_t next_thread_ = 0;          // where look_at_threads continues
  int looks_at_most_ = 0;           // the next of which look at as many as are ever looked at

  ReapedBalance reaped_cpu_, reaped_read_, reaped_written_;
  uint64_t cpu_ns_ = 0;
  uint64_t user_ticks_ = 0, system_ticks_ = 0;  // what cpu_ns_ is split by
  double user_seconds_ = 0, system_seconds_ = 0;
  uint64_t minor_faults_ = 0, major_faults_ = 0;
  uint64_t runqueue_ns_ = 0;
  uint64_t read_bytes_ = 0;
  uint64_t written_bytes_ = 0;
  uint64_t voluntary_ = 0;
  uint64_t involuntary_ = 0;
  uint64_t block_io_ns_ = 0;
  uint64_t memory_ns_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_TARGET_USAGE_H_
