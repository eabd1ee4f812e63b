// W3C `traceparent` headers with random ids from a seeded generator.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_TRACE_IDS_H_
#define PLUMB_PLUGINS_HTTP_LOAD_TRACE_IDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/http_load/random.h"

namespace plumb::http_load {

class TraceIds {
 public:
  // "00-<32 hex>-<16 hex>-01"
  static constexpr size_t kIdsSize = 55;
  // "traceparent: ", the ids, and a NUL.
  static constexpr size_t kHeaderSize = 13 + kIdsSize + 1;
  using Header = std::array<char, kHeaderSize>;

  // The ids of two runs with one seed differ, or they would meet in a tracing store.
  explicit TraceIds(uint64_t seed, std::string_view run_id = {});
  // Writes the next ids, kIdsSize characters, no NUL. Neither is ever all zeros, which the format
  // forbids.
  void next(char* out);
  // The next header line.
  void next(Header& out);

 private:
  Random random_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_TRACE_IDS_H_
