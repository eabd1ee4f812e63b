// Delay accounting of processes, asked of the kernel over generic netlink: what a process waited
// for, all its threads together, those that ended included. Needs CAP_NET_ADMIN. Not thread-safe.
#ifndef PLUMB_PLUGINS_PROC_TASKSTATS_H_
#define PLUMB_PLUGINS_PROC_TASKSTATS_H_

#include <plumb/status.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "plugins/proc/root.h"

namespace plumb::proc {

// Nanoseconds since the process began. All but `runqueue_ns` stand still while
// kernel.task_delayacct is off, and for threads that began before it was switched on.
struct Delays {
  uint64_t runqueue_ns = 0;
  uint64_t block_io_ns = 0;
  uint64_t swap_in_ns = 0;
  uint64_t reclaim_ns = 0;  // freeing memory before getting some
  uint64_t thrashing_ns = 0;
};

// Of one answer to a question about a process; nothing when it is an error, torn or of another
// kind.
std::optional<Delays> parse_taskstats(std::span<const char> datagram);
// The number under which generic netlink knows `family`, from the answer to a question for it.
std::optional<uint16_t> parse_family(std::span<const char> datagram);

class Taskstats {
 public:
  // UNSUPPORTED when the kernel was built without them, PERMISSION_DENIED without CAP_NET_ADMIN.
  static Result<Taskstats> open();
  ~Taskstats();
  Taskstats(Taskstats&& other) noexcept;
  Taskstats& operator=(Taskstats&& other) noexcept;

  // NOT_FOUND when the process is gone.
  Result<Delays> of_process(Pid pid);

 private:
  explicit Taskstats(int descriptor);
  // The bytes of the answer, valid until the next question.
  Result<std::span<const char>> ask(uint16_t type, uint8_t command, uint16_t attribute,
                                    std::span<const char> value);
  int descriptor_ = -1;
  uint16_t family_ = 0;
  uint32_t sequence_ = 0;
  std::vector<char> buffer_;
};

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_TASKSTATS_H_
