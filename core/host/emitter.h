// What a plugin is offered (plumb_host and its extensions): checks each signal, keeps it within the
// budget, and hands it to the outbox. Every function of the tables may be called on any thread.
#ifndef PLUMB_CORE_HOST_EMITTER_H_
#define PLUMB_CORE_HOST_EMITTER_H_

#include <plumb/abi/plugin.h>
#include <plumb/abi/rest.h>
#include <plumb/abi/stacks.h>

#include <atomic>
#include <cstdint>
#include <plumb/status.hpp>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/host/budget.h"
#include "core/host/outbox.h"
#include "core/host/signal_check.h"

namespace plumb::host {

class Emitter {
 public:
  // `outbox` must outlive this. `now` is CLOCK_MONOTONIC in nanoseconds; any thread.
  explicit Emitter(Outbox& outbox, int64_t (*now)() = &monotonic_ns);
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  // The table to create an instance with; lives as long as this.
  const plumb_host* table() const { return &table_; }

  // Samples, histograms, events, tables and stacks are taken between open() and close() only.
  void open() PLUMB_EXCLUDES(mutex_);
  void close() PLUMB_EXCLUDES(mutex_);

  // The host's own view of how collecting goes. The engine hears the worse of it and of what the
  // plugin says of itself, and only when that changes.
  void set_collecting(uint32_t health, std::string_view message) PLUMB_EXCLUDES(mutex_);

  // The host's own log lines.
  void log(uint32_t level, std::string_view message) PLUMB_EXCLUDES(mutex_);

  // Until when the plugin wants to rest, or 0. True of one rest: the next call gives 0 unless it
  // asked anew.
  int64_t take_rest() { return rest_until_ns_.exchange(0); }

  // Signals not taken so far.
  struct Losses {
    uint64_t dropped = 0;  // at a limit
    uint64_t refused = 0;  // not valid
  };
  Losses losses() PLUMB_EXCLUDES(mutex_);

  // What the functions of the table do. Their codes are those of the statuses.
  Status declare_series(const plumb_series* series, uint32_t* id) PLUMB_EXCLUDES(mutex_);
  Status emit_samples(const plumb_sample* samples, size_t count) PLUMB_EXCLUDES(mutex_);
  Status emit_histogram(const plumb_histogram* histogram) PLUMB_EXCLUDES(mutex_);
  Status emit_event(const plumb_event* event) PLUMB_EXCLUDES(mutex_);
  Status emit_table(const plumb_table* table) PLUMB_EXCLUDES(mutex_);
  Status emit_stacks(const plumb_stacks* stacks) PLUMB_EXCLUDES(mutex_);
  void set_health(uint32_t health, const char* message) PLUMB_EXCLUDES(mutex_);

 private:
  struct State {
    uint32_t health = PLUMB_HEALTH_OK;
    std::string message = {};
  };

  // What the table's get_extension gives; nullptr for what is not known.
  const void* extension(const char* id) const;
  Status check_open(size_t signals) PLUMB_REQUIRES(mutex_);
  // Counts what was not taken and says so in the log, less and less often. A limit that was hit
  // shows in the health until the end: what follows has a gap.
  Status refuse(const Status& status, size_t signals) PLUMB_REQUIRES(mutex_);
  Status send(std::string_view frame, double samples, double messages, size_t signals)
      PLUMB_REQUIRES(mutex_);
  void log_locked(uint32_t level, std::string_view message) PLUMB_REQUIRES(mutex_);
  void tell_health() PLUMB_REQUIRES(mutex_);

  Outbox& outbox_;
  int64_t (*now_)();
  plumb_host table_{};
  plumb_stacks_host stacks_table_{};
  plumb_rest_host rest_table_{};
  std::atomic<int64_t> rest_until_ns_{0};
  Mutex mutex_;
  SignalCheck check_ PLUMB_GUARDED_BY(mutex_);
  Budget samples_ PLUMB_GUARDED_BY(mutex_);
  Budget bytes_ PLUMB_GUARDED_BY(mutex_);
  Budget messages_ PLUMB_GUARDED_BY(mutex_);
  bool open_ PLUMB_GUARDED_BY(mutex_) = false;
  Budget health_ PLUMB_GUARDED_BY(mutex_);
  Losses losses_ PLUMB_GUARDED_BY(mutex_);
  uint64_t refusals_ PLUMB_GUARDED_BY(mutex_) = 0;
  State plugin_says_ PLUMB_GUARDED_BY(mutex_);
  State collecting_ PLUMB_GUARDED_BY(mutex_);
  State flooding_ PLUMB_GUARDED_BY(mutex_);
  State told_ PLUMB_GUARDED_BY(mutex_);
};

// Whether the n-th of a row of like failures (from 1) is worth a log line: 1, 2, 4, ... 64, and
// every 64th after that.
bool worth_logging(uint64_t n);

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_EMITTER_H_
