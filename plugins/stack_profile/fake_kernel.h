// Perf events that nothing comes of, for tests: every event is a memory file, the clock is the
// test's, and it can be told to refuse.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_FAKE_KERNEL_H_
#define PLUMB_PLUGINS_STACK_PROFILE_FAKE_KERNEL_H_

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <vector>

#include "plugins/stack_profile/perf_events.h"

namespace plumb::stack_profile {

// A memory file as the kernel lays out a ring: a page of control, then the data.
class FakeRing {
 public:
  static constexpr size_t kMostBytes = 4u << 20;

  FakeRing() : descriptor_(::memfd_create("ring", MFD_CLOEXEC)) {
    if (::ftruncate(descriptor_, static_cast<off_t>(page() + kMostBytes)) != 0) std::abort();
  }
  // As perf_event_open gives it to its caller, who closes it.
  int descriptor() const { return ::dup(descriptor_); }
  ~FakeRing() { ::close(descriptor_); }
  FakeRing(const FakeRing&) = delete;
  FakeRing& operator=(const FakeRing&) = delete;

  // Writes a record behind those before it. The ring must not be full.
  void write(const std::vector<std::byte>& record) {
    put(page() + head_, record.data(), record.size());
    head_ += record.size();
    put(offsetof(perf_event_mmap_page, data_head), &head_, sizeof(head_));
  }

 private:
  static size_t page() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }
  void put(size_t at, const void* bytes, size_t count) const {
    const ssize_t n = ::pwrite(descriptor_, bytes, count, static_cast<off_t>(at));
    if (n != static_cast<ssize_t>(count)) std::abort();
  }
  int descriptor_;
  uint64_t head_ = 0;
};

class FakeKernel {
 public:
  struct Opened {
    uint64_t config;  // PERF_COUNT_SW_CPU_CLOCK, PERF_COUNT_SW_CONTEXT_SWITCHES
    Pid tid;
    int cpu;
    bool operator==(const Opened&) const = default;
  };

  // It must outlive what uses it.
  EventKernel kernel() {
    return {.open = [this](const perf_event_attr& attr, Pid tid,
                           int cpu) { return open(attr, tid, cpu); },
            .join =
                [this](int, int, uint64_t& id) {
                  id = ++last_id_;
                  return 0;
                },
            .enable =
                [this](int, bool on) {
                  if (on_enable) on_enable(on);
                },
            .now_ns = [this] { return now_ns; }};
  }
  // The events opened for a thread so far, as many of that kind.
  size_t count(uint64_t config, Pid tid) const {
    size_t found = 0;
    for (const Opened& o : opened) found += o.config == config && o.tid == tid ? 1 : 0;
    return found;
  }

  uint64_t now_ns = 1'000'000'000;
  std::vector<Opened> opened;                              // but for rings
  std::function<int(const perf_event_attr&, Pid)> refuse;  // an errno, or 0
  std::function<void(bool on)> on_enable;
  FakeRing ring;

 private:
  int open(const perf_event_attr& attr, Pid tid, int cpu) {
    if (attr.config == PERF_COUNT_SW_DUMMY)
      return cpu == 0 ? ring.descriptor() : other_.descriptor();
    if (const int error = refuse ? refuse(attr, tid) : 0; error != 0) return -error;
    opened.push_back({attr.config, tid, cpu});
    return ::dup(STDERR_FILENO);
  }
  FakeRing other_;
  uint64_t last_id_ = 0;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_FAKE_KERNEL_H_
