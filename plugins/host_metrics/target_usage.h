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
#ifndef PLUMB_PLUGINS_HOST_METRICS_TARGET_USAGE_H_
#define PLUMB_PLUGINS_HOST_METRICS_TARGET_USAGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "plugins/host_metrics/monotonic.h"
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
  std::optional<double> runqueue_seconds;
  std::optional<double> busiest_thread_ratio;  // since the update before, at most 1
  std::optional<size_t> runnable_threads;      // above 5% of a processor since then
  std::optional<uint64_t> read_bytes;
  std::optional<uint64_t> written_bytes;
  std::optional<uint64_t> voluntary_switches;
  std::optional<uint64_t> involuntary_switches;
  bool io_denied = false;  // /proc/PID/io of another user's process
};

class TargetUsage {
 public:
  explicit TargetUsage(proc::Root root) : root_(std::move(root)) {}

  // Reads everything. `pids` ascending; `now_ns` of the monotonic clock, larger than before.
  TargetTotals update(std::span<const proc::Pid> pids, int64_t now_ns);

  // Threads in uninterruptible sleep at this instant, of those known since the last update. On
  // more than 128 threads an estimate from 128 of them, others at each call. Absent without any.
  std::optional<double> disk_waiting();

  // When the last update began, in ticks since boot; 0 when unknown.
  uint64_t last_update_ticks() const { return last_update_ticks_; }

 private:
  struct Thread {
    proc::KeptFile schedstat, stat, status;
    bool seen = false;  // in this update
    bool has_run = false;
    proc::SchedStat last;
    std::optional<proc::Switches> switches;
  };
  struct Process {
    uint64_t start_ticks = 0;
    proc::Pid parent = 0;
    proc::KeptFile stat, io;
    bool seen = false;
    uint64_t base_ticks = 0;  // utime + stime when first read; 0 when born under watch
    uint64_t ticks = 0;
    uint64_t reaped_ticks = 0;
    uint64_t scheduled_ns = 0;  // sum of its threads' growth
    uint64_t counted_ns = 0;    // what it has put into the total
    std::optional<proc::StorageBytes> io_last;
    std::map<proc::Pid, Thread> threads;
  };
  struct Interval {
    TargetTotals totals;
    uint64_t busiest_ns = 0;
    size_t runnable = 0;
    int64_t length_ns = 0;
    bool any_schedstat = false;
    bool any_io = false;
    bool any_switches = false;
  };

  void update_process(proc::Pid pid, const proc::Stat& stat, Process& p, bool watched,
                      Interval& now);
  void update_thread(Thread& t, bool watched, Process& p, Interval& now);
  void update_io(Process& p, bool watched, Interval& now);
  void forget_ended();
  proc::Text read(proc::KeptFile& file);
  uint64_t ticks_since_boot();

  proc::Root root_;
  proc::Buffer buffer_;
  proc::KeptFile uptime_;
  std::map<proc::Pid, Process> processes_;
  bool keep_open_ = true;
  bool updated_ = false;
  int64_t last_update_ns_ = 0;
  uint64_t last_update_ticks_ = 0;  // since boot
  size_t next_thread_ = 0;          // where disk_waiting continues

  ReapedBalance reaped_cpu_, reaped_read_, reaped_written_;
  uint64_t cpu_ns_ = 0;
  uint64_t runqueue_ns_ = 0;
  uint64_t read_bytes_ = 0;
  uint64_t written_bytes_ = 0;
  uint64_t voluntary_ = 0;
  uint64_t involuntary_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_TARGET_USAGE_H_
