// Walks a stack by the unwind tables of the code on it, from a sample's registers and the copy of
// its stack, through libdwfl. Where code has no tables (generated code), it goes on by frame
// pointer. One for all processes with the same files at the same places; not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_DWARF_UNWINDER_H_
#define PLUMB_PLUGINS_STACK_PROFILE_DWARF_UNWINDER_H_

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "plugins/stack_profile/perf_record.h"

namespace plumb::stack_profile {

struct UnwindModule {
  uint64_t low = 0;  // where the file's lowest segment lies in the process
  uint64_t high = 0;
  Elf* tables = nullptr;  // of ElfImage::unwind_tables(); must outlive the unwinder
  bool operator==(const UnwindModule&) const = default;
};

class DwarfUnwinder {
 public:
  // Modules that overlap one before them are left out.
  explicit DwarfUnwinder(std::span<const UnwindModule> modules);
  ~DwarfUnwinder();
  DwarfUnwinder(const DwarfUnwinder&) = delete;
  DwarfUnwinder& operator=(const DwarfUnwinder&) = delete;

  // The addresses from the innermost out, as far as they can be followed, at most `most`.
  // `is_trampoline` says of an address without tables whether it is a stub that keeps nothing on
  // the stack but 8 bytes, as Python makes one per function under -X perf.
  void unwind(const Registers& registers, Bytes stack, size_t most,
              const std::function<bool(uint64_t)>& is_trampoline, std::vector<uint64_t>& chain);

 private:
  static bool read_memory(Dwfl*, Dwarf_Addr address, Dwarf_Word* result, void* self);
  static bool set_registers(Dwfl_Thread* thread, void* self);
  static int take_frame(Dwfl_Frame* frame, void* self);
  bool word_at(uint64_t address, uint64_t& word) const;

  Dwfl* dwfl_ = nullptr;
  bool attached_ = false;
  // Of the walk under way.
  Registers registers_{};
  uint64_t stack_start_ = 0;
  Bytes stack_;
  size_t most_ = 0;
  const std::function<bool(uint64_t)>* is_trampoline_ = nullptr;
  bool at_trampoline_ = false;
  std::vector<uint64_t>* chain_ = nullptr;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_DWARF_UNWINDER_H_
