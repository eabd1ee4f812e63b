// W3C `traceparent` headers with random ids from a seeded generator.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_TRACE_IDS_H_
#define PLUMB_PLUGINS_HTTP_LOAD_TRACE_IDS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "plugins/http_load/random.h"

namespace plumb::http_load {

class TraceIds {
 public:
  // "traceparent: 00-<32 hex>-<16 hex>-01" and its NUL.
  static constexpr size_t kHeaderSize = 13 + 55 + 1;
  using Header = std::array<char, kHeaderSize>;

  explicit TraceIds(uint64_t seed) : random_(seed) {}
  // The next header line. Neither id is ever all zeros, which the format forbids.
  void next(Header& out);

 private:
  Random random_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_TRACE_IDS_H_
