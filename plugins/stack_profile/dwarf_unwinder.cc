#include "plugins/stack_profile/dwarf_unwinder.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace plumb::stack_profile {

namespace {

// Registers that a function leaves as it found them, besides the stack pointer.
constexpr int kCalleeSaved[] = {3, 6, 12, 13, 14, 15};

// libdwfl wants to know whose stack it is; all that it reads of it comes through the callbacks.
constexpr pid_t kNominalPid = 1;

int give_tables(Dwfl_Module*, void** userdata, const char*, Dwarf_Addr, char**, Elf** elf) {
  // The module releases what it is given.
  *elf = ::elf_begin(-1, ELF_C_READ, static_cast<Elf*>(*userdata));
  return -1;
}
int give_no_debug_file(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                       GElf_Word, char**) {
  return -1;
}
constexpr Dwfl_Callbacks kTables = {give_tables, give_no_debug_file, nullptr, nullptr};

pid_t only_thread(Dwfl* dwfl, void*, void** thread) {
  const bool first = *thread == nullptr;
  *thread = dwfl;
  return first ? ::dwfl_pid(dwfl) : 0;
}
bool any_thread(Dwfl*, pid_t, void* self, void** thread) {
  *thread = self;
  return true;
}

}  // namespace

DwarfUnwinder::DwarfUnwinder(std::span<const UnwindModule> modules) {
  dwfl_ = ::dwfl_begin(&kTables);
  if (dwfl_ == nullptr) return;
  std::vector<UnwindModule> ordered(modules.begin(), modules.end());
  std::sort(ordered.begin(), ordered.end(),
            [](const UnwindModule& a, const UnwindModule& b) { return a.low < b.low; });
  ::dwfl_report_begin(dwfl_);
  Elf* first = nullptr;
  uint64_t reached = 0;
  for (const UnwindModule& module : ordered) {
    if (module.tables == nullptr || module.low >= module.high || module.low < reached) continue;
    const std::string name = "at " + std::to_string(module.low);
    Dwfl_Module* reported = ::dwfl_report_module(dwfl_, name.c_str(), module.low, module.high);
    if (reported == nullptr) continue;
    void** userdata = nullptr;
    ::dwfl_module_info(reported, &userdata, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    *userdata = module.tables;
    reached = module.high;
    if (first == nullptr) first = module.tables;
  }
  ::dwfl_report_end(dwfl_, nullptr, nullptr);
  static constexpr Dwfl_Thread_Callbacks kCallbacks = {only_thread,    any_thread, &read_memory,
                                                       &set_registers, nullptr,    nullptr};
  attached_ = first != nullptr && ::dwfl_attach_state(dwfl_, first, kNominalPid, &kCallbacks, this);
}

DwarfUnwinder::~DwarfUnwinder() { ::dwfl_end(dwfl_); }

void DwarfUnwinder::unwind(const Registers& registers, Bytes stack, size_t most,
                           const std::function<bool(uint64_t)>& is_trampoline,
                           std::vector<uint64_t>& chain) {
  chain.clear();
  if (!attached_) return;
  registers_ = registers;
  stack_start_ = registers[kStackPointerRegister];
  stack_ = stack;
  most_ = most;
  is_trampoline_ = &is_trampoline;
  chain_ = &chain;
  while (chain.size() < most_) {
    const size_t before = chain.size();
    at_trampoline_ = false;
    (void)::dwfl_getthread_frames(dwfl_, kNominalPid, &take_frame, this);
    if (!at_trampoline_ || chain.size() == before) break;
    // The stub's own frame: 8 bytes, then where it returns to.
    uint64_t& stack_pointer = registers_[kStackPointerRegister];
    uint64_t back = 0;
    if (!word_at(stack_pointer + 8, back) || back == 0) break;
    stack_pointer += 16;
    registers_[kInstructionRegister] = back;
  }
}

bool DwarfUnwinder::word_at(uint64_t address, uint64_t& word) const {
  if (address < stack_start_ || stack_.size() < sizeof(word)) return false;
  const uint64_t at = address - stack_start_;
  if (at > stack_.size() - sizeof(word)) return false;
  std::memcpy(&word, stack_.data() + at, sizeof(word));
  return true;
}

bool DwarfUnwinder::read_memory(Dwfl*, Dwarf_Addr address, Dwarf_Word* result, void* self) {
  uint64_t word = 0;
  if (!static_cast<const DwarfUnwinder*>(self)->word_at(address, word)) return false;
  *result = word;
  return true;
}

bool DwarfUnwinder::set_registers(Dwfl_Thread* thread, void* self) {
  const auto* unwinder = static_cast<const DwarfUnwinder*>(self);
  Dwarf_Word values[kUnwindRegisters];
  std::copy(unwinder->registers_.begin(), unwinder->registers_.end(), values);
  if (!::dwfl_thread_state_registers(thread, 0, kUnwindRegisters, values)) return false;
  ::dwfl_thread_state_register_pc(thread, values[kInstructionRegister]);
  return true;
}

int DwarfUnwinder::take_frame(Dwfl_Frame* frame, void* self) {
  auto* unwinder = static_cast<DwarfUnwinder*>(self);
  Dwarf_Addr address = 0;
  if (!::dwfl_frame_pc(frame, &address, nullptr) || address == 0) return DWARF_CB_ABORT;
  unwinder->chain_->push_back(address);
  if (unwinder->chain_->size() >= unwinder->most_) return DWARF_CB_ABORT;
  const bool covered = ::dwfl_addrmodule(unwinder->dwfl_, address) != nullptr;
  if (covered || !(*unwinder->is_trampoline_)(address)) return DWARF_CB_OK;
  Dwarf_Word stack_pointer = 0;
  if (::dwfl_frame_reg(frame, kStackPointerRegister, &stack_pointer) != 0) return DWARF_CB_OK;
  for (const int number : kCalleeSaved) {
    Dwarf_Word value = 0;
    const bool known = ::dwfl_frame_reg(frame, static_cast<unsigned>(number), &value) == 0;
    unwinder->registers_[static_cast<size_t>(number)] = known ? value : 0;
  }
  unwinder->registers_[kStackPointerRegister] = stack_pointer;
  unwinder->at_trampoline_ = true;
  return DWARF_CB_ABORT;
}

}  // namespace plumb::stack_profile
