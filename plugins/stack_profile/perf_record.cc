#include "plugins/stack_profile/perf_record.h"

#include <asm/perf_regs.h>
#include <linux/perf_event.h>

#include <bit>
#include <cstring>
#include <optional>

namespace plumb::stack_profile {

namespace {

// Below these no address of a chain is real: they mark what the addresses after them belong to.
constexpr uint64_t kFirstContextMark = static_cast<uint64_t>(-4095);
constexpr size_t kTrailerBytes = 24;  // tid, time, identifier, at the end of all but samples
constexpr uint64_t kMostChain = 1024;

#if defined(__x86_64__)
// In the order of DWARF's numbers.
constexpr std::array<int, kUnwindRegisters> kPerfRegister = {
    PERF_REG_X86_AX,  PERF_REG_X86_DX,  PERF_REG_X86_CX,  PERF_REG_X86_BX,  PERF_REG_X86_SI,
    PERF_REG_X86_DI,  PERF_REG_X86_BP,  PERF_REG_X86_SP,  PERF_REG_X86_R8,  PERF_REG_X86_R9,
    PERF_REG_X86_R10, PERF_REG_X86_R11, PERF_REG_X86_R12, PERF_REG_X86_R13, PERF_REG_X86_R14,
    PERF_REG_X86_R15, PERF_REG_X86_IP};

constexpr uint64_t mask_of_registers() {
  uint64_t mask = 0;
  for (const int number : kPerfRegister) mask |= 1ull << number;
  return mask;
}

// A record holds the registers in ascending order of perf's numbers.
constexpr std::array<size_t, kUnwindRegisters> order_in_record() {
  std::array<size_t, kUnwindRegisters> out{};
  for (size_t i = 0; i < kUnwindRegisters; ++i) {
    for (const int other : kPerfRegister) out[i] += other < kPerfRegister[i] ? 1 : 0;
  }
  return out;
}
constexpr uint64_t kRegisterMask = mask_of_registers();
constexpr std::array<size_t, kUnwindRegisters> kPlaceInRecord = order_in_record();
#else
constexpr uint64_t kRegisterMask = 0;
constexpr std::array<size_t, kUnwindRegisters> kPlaceInRecord{};
#endif

// Takes values off the front of a record; after one that is not there, everything fails.
class RecordCursor {
 public:
  explicit RecordCursor(Bytes rest) : rest_(rest) {}

  template <typename T>
  T take() {
    T value{};
    if (rest_.size() < sizeof(T)) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  Bytes take_bytes(uint64_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const Bytes out = rest_.first(count);
    rest_ = rest_.subspan(count);
    return out;
  }
  // The rest, up to its first NUL.
  std::string_view take_text() {
    const std::string_view all(reinterpret_cast<const char*>(rest_.data()), rest_.size());
    rest_ = {};
    return all.substr(0, all.find('\0'));
  }
  void drop_trailer() {
    if (rest_.size() < kTrailerBytes) {
      ok_ = false;
      return;
    }
    rest_ = rest_.first(rest_.size() - kTrailerBytes);
  }
  bool ok() const { return ok_; }

 private:
  Bytes rest_;
  bool ok_ = true;
};

void take_chain(RecordCursor& cursor, Record& record) {
  record.kernel_chain.clear();
  record.user_chain.clear();
  const auto count = cursor.take<uint64_t>();
  Bytes chain = cursor.take_bytes(count > kMostChain ? UINT64_MAX : count * sizeof(uint64_t));
  std::vector<uint64_t>* into = &record.user_chain;
  for (; !chain.empty(); chain = chain.subspan(sizeof(uint64_t))) {
    uint64_t address = 0;
    std::memcpy(&address, chain.data(), sizeof(address));
    if (address >= kFirstContextMark) {
      into = address == static_cast<uint64_t>(PERF_CONTEXT_KERNEL) ? &record.kernel_chain
             : address == static_cast<uint64_t>(PERF_CONTEXT_USER) ? &record.user_chain
                                                                   : nullptr;
      continue;
    }
    if (into != nullptr) into->push_back(address);
  }
}

void take_stack_dump(RecordCursor& cursor, Record& record) {
  record.has_registers = false;
  record.stack = {};
  const auto abi = cursor.take<uint64_t>();
  if (abi != PERF_SAMPLE_REGS_ABI_NONE) {
    const Bytes values =
        cursor.take_bytes(static_cast<uint64_t>(std::popcount(kRegisterMask)) * sizeof(uint64_t));
    // Registers of a 32-bit process mean something else.
    record.has_registers = cursor.ok() && abi == PERF_SAMPLE_REGS_ABI_64 && !values.empty();
    for (size_t i = 0; record.has_registers && i < kUnwindRegisters; ++i) {
      std::memcpy(&record.registers[i], values.data() + kPlaceInRecord[i] * sizeof(uint64_t),
                  sizeof(uint64_t));
    }
  }
  const auto size = cursor.take<uint64_t>();
  if (size == 0) return;
  const Bytes dump = cursor.take_bytes(size);
  const auto used = cursor.take<uint64_t>();
  if (cursor.ok() && used <= dump.size()) record.stack = dump.first(used);
}

bool decode_sample(RecordCursor cursor, bool with_stack_dump, Record& record) {
  record.kind = Record::Kind::kSample;
  record.id = cursor.take<uint64_t>();
  cursor.take<uint64_t>();  // the address: the chain's first, too
  record.pid = cursor.take<Pid>();
  record.tid = cursor.take<Pid>();
  record.time_ns = cursor.take<uint64_t>();
  record.period = cursor.take<uint64_t>();
  take_chain(cursor, record);
  if (with_stack_dump) {
    take_stack_dump(cursor, record);
  } else {
    record.has_registers = false;
    record.stack = {};
  }
  return cursor.ok();
}

bool decode_mmap(RecordCursor cursor, uint16_t misc, Record& record) {
  record.kind = Record::Kind::kMmap;
  record.pid = cursor.take<Pid>();
  record.tid = cursor.take<Pid>();
  record.address = cursor.take<uint64_t>();
  record.length = cursor.take<uint64_t>();
  record.offset = cursor.take<uint64_t>();
  cursor.take<uint64_t>();  // the device, major and minor
  record.inode = cursor.take<uint64_t>();
  cursor.take<uint64_t>();  // the inode's generation
  if ((misc & PERF_RECORD_MISC_MMAP_BUILD_ID) != 0) record.inode = 0;
  constexpr uint32_t kExecutable = 4;  // PROT_EXEC
  record.executable = (cursor.take<uint32_t>() & kExecutable) != 0;
  cursor.take<uint32_t>();  // flags
  cursor.drop_trailer();
  if (cursor.ok()) record.text = cursor.take_text();
  return cursor.ok() && record.length <= UINT64_MAX - record.address;
}

bool decode_task(RecordCursor cursor, Record::Kind kind, Record& record) {
  record.kind = kind;
  record.pid = cursor.take<Pid>();
  record.parent_pid = cursor.take<Pid>();
  record.tid = cursor.take<Pid>();
  record.parent_tid = cursor.take<Pid>();
  return cursor.ok();
}

bool decode_comm(RecordCursor cursor, uint16_t misc, Record& record) {
  record.kind = Record::Kind::kComm;
  record.pid = cursor.take<Pid>();
  record.tid = cursor.take<Pid>();
  record.exec = (misc & PERF_RECORD_MISC_COMM_EXEC) != 0;
  cursor.drop_trailer();
  if (cursor.ok()) record.text = cursor.take_text();
  return cursor.ok();
}

}  // namespace

uint64_t register_mask() { return kRegisterMask; }

uint64_t sample_type(bool with_stack_dump) {
  uint64_t type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                  PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN;
  if (with_stack_dump) type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
  return type;
}

bool read_head(Bytes record, RecordHead& head) {
  perf_event_header raw{};
  if (record.size() < sizeof(raw)) return false;
  std::memcpy(&raw, record.data(), sizeof(raw));
  head.type = raw.type;
  head.misc = raw.misc;
  head.size = raw.size;
  if (raw.size != record.size()) return false;
  // A sample's time follows its identifier, address and thread; that of all others is in the
  // trailer.
  constexpr size_t kTimeOfSample = sizeof(raw) + 3 * sizeof(uint64_t);
  const bool sample = raw.type == PERF_RECORD_SAMPLE;
  if (record.size() < (sample ? kTimeOfSample + 8 : sizeof(raw) + kTrailerBytes)) return false;
  const size_t at = sample ? kTimeOfSample : record.size() - 16;
  std::memcpy(&head.time_ns, record.data() + at, sizeof(head.time_ns));
  return true;
}

bool decode(Bytes bytes, bool with_stack_dump, Record& record) {
  RecordHead head;
  if (!read_head(bytes, head)) return false;
  const RecordCursor body(bytes.subspan(sizeof(perf_event_header)));
  if (head.type == PERF_RECORD_SAMPLE) return decode_sample(body, with_stack_dump, record);

  RecordCursor trailer(bytes.last(kTrailerBytes));
  record.pid = trailer.take<Pid>();
  record.tid = trailer.take<Pid>();
  record.time_ns = trailer.take<uint64_t>();
  record.id = trailer.take<uint64_t>();
  RecordCursor lost = body;
  switch (head.type) {
    case PERF_RECORD_MMAP2:
      return decode_mmap(body, head.misc, record);
    case PERF_RECORD_COMM:
      return decode_comm(body, head.misc, record);
    case PERF_RECORD_FORK:
      return decode_task(body, Record::Kind::kFork, record);
    case PERF_RECORD_EXIT:
      return decode_task(body, Record::Kind::kExit, record);
    case PERF_RECORD_SWITCH:
      record.kind = Record::Kind::kSwitch;
      record.out = (head.misc & PERF_RECORD_MISC_SWITCH_OUT) != 0;
      record.preempted = (head.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0;
      return true;
    case PERF_RECORD_LOST:
      record.kind = Record::Kind::kLost;
      record.id = lost.take<uint64_t>();
      record.lost = lost.take<uint64_t>();
      return lost.ok();
    case PERF_RECORD_LOST_SAMPLES:
      record.kind = Record::Kind::kLost;
      record.lost = lost.take<uint64_t>();
      return lost.ok();
    case PERF_RECORD_THROTTLE:
      record.kind = Record::Kind::kThrottle;
      return true;
    default:
      record.kind = Record::Kind::kOther;
      return true;
  }
}

}  // namespace plumb::stack_profile
