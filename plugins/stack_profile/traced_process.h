// One process of the target: what its threads are called, what is mapped where, and the files
// behind that, as far as they can be had, also after it has ended. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_TRACED_PROCESS_H_
#define PLUMB_PLUGINS_STACK_PROFILE_TRACED_PROCESS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "plugins/proc/file.h"
#include "plugins/proc/root.h"
#include "plugins/stack_profile/address_space.h"
#include "plugins/stack_profile/elf_image.h"
#include "plugins/stack_profile/perf_map.h"
#include "plugins/stack_profile/perf_record.h"

namespace plumb::stack_profile {

// From /proc/PID/status.
struct ProcessStatus {
  uint32_t user = 0;      // effective
  Pid namespace_pid = 0;  // its id in the innermost pid namespace
};
std::optional<ProcessStatus> parse_status(std::string_view text);

class TracedProcess {
 public:
  // `program` is a number that no other has: another program is in the process after an exec.
  TracedProcess(proc::Root root, Pid pid, uint32_t program)
      : root_(std::move(root)), pid_(pid), program_(program) {}

  // Reads what /proc says of it now. False when it is gone.
  bool load(proc::Buffer& buffer);
  // Takes over what a child has from its parent at a fork.
  void inherit(const TracedProcess& parent);

  Pid pid() const { return pid_; }
  uint32_t program() const { return program_; }
  AddressSpace& space() { return space_; }
  const AddressSpace& space() const { return space_; }

  // Names of threads, cut and cleaned for frames: "app", or "app;worker" where the thread's differs
  // from the process's.
  void set_thread_name(Pid tid, std::string_view name);
  void forget_thread(Pid tid) { thread_names_.erase(tid); }
  std::string label(Pid tid, proc::Buffer& buffer);

  // Opens the file of a mapping: the mapped file itself where the kernel allows, else the one at
  // its path that is the same file. What belongs to another is never opened.
  OwnedDescriptor open_file(const Mapping& mapping) const;

  // Reads what was added to its perf map file since the last call. The file must belong to the
  // process's user (or to root). That it is refused, or what of it is not read, is a sentence;
  // empty when there is nothing to tell.
  std::string read_perf_map();
  const PerfMap& perf_map() const { return perf_map_; }
  // Generated code that keeps no frame: Python's stubs.
  bool is_python_stub(uint64_t address) const {
    return perf_map_.find(address).starts_with("py::");
  }

 private:
  // Whether the file at the mapping's path, as the process sees it, is still the one that lies
  // there.
  bool still_maps(const Mapping& mapping) const;
  OwnedDescriptor open_below_root(const std::string& path, uint64_t resolve, int flags) const;
  // Reads on, in the file of this size.
  void append_perf_map(int file, uint64_t size);
  // What of the perf map at `path` is not read, as a sentence.
  std::string missing_of_perf_map(const std::string& path, uint64_t size) const;

  proc::Root root_;
  Pid pid_;
  uint32_t program_;
  AddressSpace space_;
  ProcessStatus status_;
  OwnedDescriptor root_directory_;
  std::string executable_;
  std::unordered_map<Pid, std::string> thread_names_;
  PerfMap perf_map_;
  uint64_t perf_map_read_ = 0;
  uint64_t perf_map_inode_ = 0;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_TRACED_PROCESS_H_
