// The memory that the kernel writes records into, one ring per processor, and its records in the
// order of their times over all rings. Not thread-safe.
#ifndef PLUMB_PLUGINS_STACK_PROFILE_RING_H_
#define PLUMB_PLUGINS_STACK_PROFILE_RING_H_

#include <plumb/status.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "plugins/stack_profile/perf_record.h"

namespace plumb::stack_profile {

// Where a record lies: from `position`, a running count of bytes, of a ring.
struct RecordPlace {
  uint64_t position = 0;
  uint16_t size = 0;
};

// Gives the record that begins at `position` of a ring that holds bytes up to `end`; false at the
// end, and where the ring is damaged (then `damaged` is true: what follows cannot be found).
bool record_at(Bytes ring, uint64_t position, uint64_t end, RecordPlace& place, bool& damaged);

// The record's bytes; one that wraps around the ring's end is put together in `scratch`.
Bytes record_bytes(Bytes ring, const RecordPlace& place, std::vector<std::byte>& scratch);

class Ring {
 public:
  // Maps a ring of `bytes` (a power of two, at least a page) for the event `descriptor`.
  // RESOURCE_EXHAUSTED when the kernel locks no more memory for this user.
  static Result<Ring> map(int descriptor, size_t bytes);
  Ring(Ring&& other) noexcept;
  Ring& operator=(Ring&& other) noexcept;
  ~Ring();

  Bytes data() const { return data_; }
  uint64_t head() const;  // how far the kernel has written
  uint64_t tail() const { return tail_; }
  void consume(uint64_t position);  // gives all before it back to the kernel

 private:
  Ring(void* base, size_t bytes);
  void* base_ = nullptr;
  size_t mapped_ = 0;
  Bytes data_;
  uint64_t tail_ = 0;
};

class Rings {
 public:
  void add(Ring ring) { rings_.push_back(std::move(ring)); }

  // Calls `visit` with each record no younger than `until_ns`, oldest first, and consumes it. One
  // whose time cannot be read goes with the one before it. Returns how many bytes of damaged rings
  // had to be given up.
  uint64_t drain(uint64_t until_ns, const std::function<void(Bytes)>& visit);

 private:
  struct Entry {
    uint64_t time_ns;
    size_t ring;
    RecordPlace place;
  };
  std::vector<Ring> rings_;
  std::vector<Entry> entries_;
  std::vector<uint64_t> consumed_;
  std::vector<std::byte> scratch_;
};

}  // namespace plumb::stack_profile

#endif  // PLUMB_PLUGINS_STACK_PROFILE_RING_H_
