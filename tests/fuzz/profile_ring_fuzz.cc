// Any bytes as a ring of perf records: every record found lies inside the ring, the walk ends, and
// what a decoded record points at lies inside it.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plugins/stack_profile/perf_record.h"
#include "plugins/stack_profile/ring.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plumb::stack_profile;
  if (size < 16) return 0;
  const bool dumps = (data[0] & 1) != 0;
  const uint64_t begin = static_cast<uint64_t>(data[1]) * 8;
  const size_t bytes = std::bit_floor(size - 2);
  const Bytes ring(reinterpret_cast<const std::byte*>(data) + 2, bytes);
  uint64_t position = begin;
  RecordPlace place;
  bool damaged = false;
  std::vector<std::byte> scratch;
  Record record;
  while (record_at(ring, position, begin + bytes, place, damaged)) {
    const Bytes found = record_bytes(ring, place, scratch);
    RecordHead head;
    if (found.size() != place.size) __builtin_trap();
    (void)read_head(found, head);
    if (decode(found, dumps, record)) {
      const auto inside = [&](const void* at, size_t count) {
        const auto* from = static_cast<const std::byte*>(at);
        return count == 0 || (from >= found.data() && from + count <= found.data() + found.size());
      };
      const bool has_text =
          record.kind == Record::Kind::kMmap || record.kind == Record::Kind::kComm;
      if (has_text && !inside(record.text.data(), record.text.size())) __builtin_trap();
      const bool sample = record.kind == Record::Kind::kSample;
      if (sample && !inside(record.stack.data(), record.stack.size())) __builtin_trap();
    }
    position += place.size;
  }
  return 0;
}
