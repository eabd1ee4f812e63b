#include "plugins/stack_profile/ring.h"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace plumb::stack_profile {

namespace {

perf_event_mmap_page* control_page(void* base) { return static_cast<perf_event_mmap_page*>(base); }

void copy_out(Bytes ring, uint64_t position, std::byte* to, size_t count) {
  const size_t at = position & (ring.size() - 1);
  const size_t first = std::min(count, ring.size() - at);
  std::memcpy(to, ring.data() + at, first);
  std::memcpy(to + first, ring.data(), count - first);
}

}  // namespace

bool record_at(Bytes ring, uint64_t position, uint64_t end, RecordPlace& place, bool& damaged) {
  damaged = false;
  if (position >= end) return false;
  perf_event_header head{};
  damaged = true;
  if (end - position < sizeof(head) || end - position > ring.size()) return false;
  copy_out(ring, position, reinterpret_cast<std::byte*>(&head), sizeof(head));
  if (head.size < sizeof(head) || head.size % 8 != 0 || head.size > end - position) return false;
  damaged = false;
  place = {position, head.size};
  return true;
}

Bytes record_bytes(Bytes ring, const RecordPlace& place, std::vector<std::byte>& scratch) {
  const size_t at = place.position & (ring.size() - 1);
  if (at + place.size <= ring.size()) return ring.subspan(at, place.size);
  scratch.resize(place.size);
  copy_out(ring, place.position, scratch.data(), place.size);
  return scratch;
}

Result<Ring> Ring::map(int descriptor, size_t bytes) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* base = ::mmap(nullptr, page + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (base == MAP_FAILED) {
    return Status::resource_exhausted(std::string("a ring of ") + std::to_string(bytes / 1024) +
                                      " KiB cannot be mapped: " + std::strerror(errno));
  }
  return Ring(base, bytes);
}

Ring::Ring(void* base, size_t bytes) : base_(base) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  mapped_ = page + bytes;
  data_ = Bytes(static_cast<const std::byte*>(base) + page, bytes);
}

Ring::Ring(Ring&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      mapped_(other.mapped_),
      data_(other.data_),
      tail_(other.tail_) {}

Ring& Ring::operator=(Ring&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(mapped_, other.mapped_);
  std::swap(data_, other.data_);
  std::swap(tail_, other.tail_);
  return *this;
}

Ring::~Ring() {
  if (base_ != nullptr) ::munmap(base_, mapped_);
}

uint64_t Ring::head() const {
  return __atomic_load_n(&control_page(base_)->data_head, __ATOMIC_ACQUIRE);
}

void Ring::consume(uint64_t position) {
  tail_ = position;
  __atomic_store_n(&control_page(base_)->data_tail, position, __ATOMIC_RELEASE);
}

uint64_t Rings::drain(uint64_t until_ns, const std::function<void(Bytes)>& visit) {
  entries_.clear();
  consumed_.assign(rings_.size(), 0);
  uint64_t given_up = 0;
  for (size_t i = 0; i < rings_.size(); ++i) {
    const uint64_t head = rings_[i].head();
    uint64_t position = rings_[i].tail();
    RecordPlace place;
    bool damaged = false;
    uint64_t time_ns = 0;
    while (record_at(rings_[i].data(), position, head, place, damaged)) {
      RecordHead record;
      if (read_head(record_bytes(rings_[i].data(), place, scratch_), record)) {
        time_ns = record.time_ns;
      }
      if (time_ns > until_ns) break;
      entries_.push_back({time_ns, i, place});
      position += place.size;
    }
    if (damaged) {
      given_up += head - position;
      position = head;
    }
    consumed_[i] = position;
  }
  // Stable: records of one ring with the same time keep their order.
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.time_ns < b.time_ns; });
  for (const Entry& entry : entries_) {
    visit(record_bytes(rings_[entry.ring].data(), entry.place, scratch_));
  }
  for (size_t i = 0; i < rings_.size(); ++i) rings_[i].consume(consumed_[i]);
  return given_up;
}

}  // namespace plumb::stack_profile
