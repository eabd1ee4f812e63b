// From a sample to the addresses of its user stack: by frame pointers where the code keeps them, by
// unwind tables where it does not. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_STACK_WALKER_H_
#define PLUMB_PLUGINS_STACK_PROFILE_STACK_WALKER_H_

#include <memory>
#include <unordered_map>
#include <vector>

#include "plugins/stack_profile/dwarf_unwinder.h"
#include "plugins/stack_profile/symbolizer.h"
#include "plugins/stack_profile/traced_process.h"

namespace plumb::stack_profile {

enum class Unwind { kAuto, kFramePointer, kDwarf };

class StackWalker {
 public:
  StackWalker(Symbolizer& symbolizer, Unwind mode) : symbolizer_(symbolizer), mode_(mode) {}

  // The user part of a sample's stack, innermost first; valid until the next call.
  const std::vector<uint64_t>& walk(const TracedProcess& process, const Record& sample);

  void forget(uint32_t program) { unwinders_.erase(program); }
  void forget_all() { unwinders_.clear(); }

  uint64_t walked_by_tables() const { return walked_by_tables_; }
  uint64_t walked_by_pointers() const { return walked_by_pointers_; }

  static constexpr size_t kMostUnwinders = 64;
  static constexpr size_t kMostFrames = 192;

 private:
  // Whether each function on a chain of frame pointers has its frame pointer set up, so that none
  // was passed over.
  bool is_whole(const TracedProcess& process, const std::vector<uint64_t>& chain);
  DwarfUnwinder& unwinder(const TracedProcess& process);

  Symbolizer& symbolizer_;
  Unwind mode_;
  struct Known {
    uint64_t generation;
    std::unique_ptr<DwarfUnwinder> unwinder;
  };
  std::unordered_map<uint32_t, Known> unwinders_;  // by program
  std::vector<uint64_t> chain_;
  uint64_t walked_by_tables_ = 0;
  uint64_t walked_by_pointers_ = 0;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_STACK_WALKER_H_
