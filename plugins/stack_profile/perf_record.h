// Records of a perf ring, decoded. They come from the kernel, but every size in them is checked: a
// record that does not fit its own length is refused whole.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_PERF_RECORD_H_
#define PLUMB_PLUGINS_STACK_PROFILE_PERF_RECORD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "plugins/proc/root.h"

namespace plumb::stack_profile {

using proc::Pid;
using Bytes = std::span<const std::byte>;

// Registers that unwinding needs, as DWARF numbers them on x86-64: 0 to 15, and 16 for the
// instruction pointer.
inline constexpr size_t kUnwindRegisters = 17;
inline constexpr size_t kFramePointerRegister = 6;
inline constexpr size_t kStackPointerRegister = 7;
inline constexpr size_t kInstructionRegister = 16;
using Registers = std::array<uint64_t, kUnwindRegisters>;

// For perf_event_attr.sample_regs_user; 0 on a machine whose registers are not known here, where
// stacks are walked by frame pointers alone.
uint64_t register_mask();

// perf_event_attr.sample_type of every event, so that one layout holds for a whole ring.
uint64_t sample_type(bool with_stack_dump);

struct RecordHead {
  uint32_t type = 0;
  uint16_t misc = 0;
  uint16_t size = 0;
  uint64_t time_ns = 0;
};

// What the record's head says, and its time. False when the record is not well formed.
bool read_head(Bytes record, RecordHead& head);

struct Record {
  enum class Kind { kSample, kMmap, kComm, kFork, kExit, kSwitch, kLost, kThrottle, kOther };
  Kind kind = Kind::kOther;
  uint64_t id = 0;  // of the event that it belongs to
  uint64_t time_ns = 0;
  Pid pid = 0;
  Pid tid = 0;
  Pid parent_pid = 0;  // kFork
  Pid parent_tid = 0;

  // kSample. The chain is innermost first, with the kernel's context marks taken out.
  uint64_t period = 0;
  std::vector<uint64_t> kernel_chain;
  std::vector<uint64_t> user_chain;
  bool has_registers = false;
  Registers registers{};
  Bytes stack;  // from the stack pointer up; valid as long as the record

  // kMmap
  uint64_t address = 0, length = 0, offset = 0, inode = 0;
  bool executable = false;
  std::string_view text;  // kMmap: path; kComm: name. Valid as long as the record

  bool exec = false;       // kComm: by an exec
  bool out = false;        // kSwitch: leaves the processor
  bool preempted = false;  // kSwitch: while it could have run on
  uint64_t lost = 0;       // kLost
};

// Decodes into `record`, whose vectors are reused. False when the record is damaged.
bool decode(Bytes bytes, bool with_stack_dump, Record& record);

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_PERF_RECORD_H_
