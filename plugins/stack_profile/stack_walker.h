// From a sample to the addresses of its user stack: by frame pointers where the code keeps them, by
// unwind tables where it does not. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_STACK_WALKER_H_
#define PLUMB_PLUGINS_STACK_PROFILE_STACK_WALKER_H_

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <unordered_set>
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

  void forget(uint32_t program) { programs_.erase(program); }
  // Call it every few seconds: unwinders used neither in this interval nor in the last one go.
  void end_interval();
  // The images that unwinders point at.
  std::unordered_set<const ElfImage*> held_images() const;

  size_t unwinders() const { return layouts_.size(); }
  uint64_t unwinders_made() const { return unwinders_made_; }
  uint64_t walked_by_tables() const { return walked_by_tables_; }
  uint64_t walked_by_pointers() const { return walked_by_pointers_; }

  static constexpr size_t kMostUnwinders = 256;
  static constexpr size_t kMostFrames = 192;

 private:
  // Whether each function on a chain of frame pointers has its frame pointer set up, so that none
  // was passed over.
  bool is_whole(const TracedProcess& process, const std::vector<uint64_t>& chain);
  DwarfUnwinder& unwinder(const TracedProcess& process);

  // What lies where, and the unwinder for it: one for all the children that a server forks.
  struct Layout {
    std::vector<UnwindModule> modules;
    std::vector<const ElfImage*> images;
    std::unique_ptr<DwarfUnwinder> unwinder;
    uint64_t walk = 0;      // the last one with it
    uint64_t interval = 0;  // likewise
  };
  using Layouts = std::list<Layout>;
  Layout layout_of(const TracedProcess& process);
  Layouts::iterator find_or_make(Layout wanted);
  void erase(Layouts::iterator layout);

  Symbolizer& symbolizer_;
  Unwind mode_;
  Layouts layouts_;
  struct OfProgram {
    uint64_t generation;
    Layouts::iterator layout;
  };
  std::unordered_map<uint32_t, OfProgram> programs_;
  uint64_t walks_ = 0;
  uint64_t interval_ = 0;
  uint64_t unwinders_made_ = 0;
  std::vector<uint64_t> chain_;
  uint64_t walked_by_tables_ = 0;
  uint64_t walked_by_pointers_ = 0;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_STACK_WALKER_H_
