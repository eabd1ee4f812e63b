// Perf records as the kernel lays them out, for tests: see perf_event_open(2).
#ifndef PLUMB_PLUGINS_STACK_PROFILE_RECORD_BUILDER_H_
#define PLUMB_PLUGINS_STACK_PROFILE_RECORD_BUILDER_H_

#include <linux/perf_event.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/stack_profile/perf_record.h"

namespace plumb::stack_profile {

class RecordBuilder {
 public:
  RecordBuilder(uint32_t type, uint16_t misc) : type_(type), misc_(misc) {}
  template <typename T>
  RecordBuilder& add(T value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    body_.insert(body_.end(), bytes, bytes + sizeof(value));
    return *this;
  }
  RecordBuilder& text(std::string_view text) {
    for (const char c : text) add(c);
    do {
      add('\0');
    } while (body_.size() % 8 != 0);
    return *this;
  }
  // What ends all records but samples.
  RecordBuilder& trailer(Pid pid, Pid tid, uint64_t time_ns, uint64_t id) {
    return add(pid).add(tid).add(time_ns).add(id);
  }
  std::vector<std::byte> bytes() const {
    const perf_event_header head{type_, misc_, static_cast<uint16_t>(sizeof(head) + body_.size())};
    std::vector<std::byte> out(sizeof(head));
    std::memcpy(out.data(), &head, sizeof(head));
    out.insert(out.end(), body_.begin(), body_.end());
    return out;
  }

 private:
  uint32_t type_;
  uint16_t misc_;
  std::vector<std::byte> body_;
};

inline std::vector<std::byte> sample_record(uint64_t id, Pid pid, Pid tid, uint64_t time_ns,
                                            uint64_t period, const std::vector<uint64_t>& kernel,
                                            const std::vector<uint64_t>& user) {
  RecordBuilder out(PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
  out.add(id).add(user.empty() ? uint64_t{0} : user[0]).add(pid).add(tid).add(time_ns).add(period);
  const bool marks = !kernel.empty();
  out.add(static_cast<uint64_t>(kernel.size() + (marks ? 1 : 0) + user.size() + 1));
  if (marks) out.add(static_cast<uint64_t>(PERF_CONTEXT_KERNEL));
  for (const uint64_t address : kernel) out.add(address);
  out.add(static_cast<uint64_t>(PERF_CONTEXT_USER));
  for (const uint64_t address : user) out.add(address);
  return out.bytes();
}
inline std::vector<std::byte> switch_record(bool leaves, bool preempted, Pid pid, Pid tid,
                                            uint64_t time_ns) {
  const uint16_t misc =
      static_cast<uint16_t>((leaves ? PERF_RECORD_MISC_SWITCH_OUT : 0) |
                            (preempted ? PERF_RECORD_MISC_SWITCH_OUT_PREEMPT : 0));
  return RecordBuilder(PERF_RECORD_SWITCH, misc).trailer(pid, tid, time_ns, 2).bytes();
}
inline std::vector<std::byte> task_record(uint32_t type, Pid pid, Pid parent, Pid tid,
                                          uint64_t time_ns) {
  return RecordBuilder(type, 0)
      .add(pid)
      .add(parent)
      .add(tid)
      .add(parent)
      .add(time_ns)
      .trailer(pid, tid, time_ns, 2)
      .bytes();
}
inline std::vector<std::byte> comm_record(bool exec, Pid pid, Pid tid, std::string_view name,
                                          uint64_t time_ns) {
  return RecordBuilder(PERF_RECORD_COMM, exec ? PERF_RECORD_MISC_COMM_EXEC : 0)
      .add(pid)
      .add(tid)
      .text(name)
      .trailer(pid, tid, time_ns, 2)
      .bytes();
}
inline std::vector<std::byte> mmap_record(Pid pid, uint64_t address, uint64_t length,
                                          uint64_t inode, std::string_view path, uint64_t time_ns) {
  return RecordBuilder(PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER)
      .add(pid)
      .add(pid)
      .add(address)
      .add(length)
      .add(uint64_t{0})
      .add(uint32_t{254})
      .add(uint32_t{0})
      .add(inode)
      .add(uint64_t{0})
      .add(uint32_t{5})
      .add(uint32_t{2})
      .text(path)
      .trailer(pid, pid, time_ns, 2)
      .bytes();
}

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_RECORD_BUILDER_H_
