// Any bytes as a stream of server-sent events, cut into pieces at places that the input chooses: no
// crash, bounded memory, and the same events as when the stream comes in one piece.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/http_load/sse_decoder.h"

namespace {

// Small, so that inputs of the fuzzer's size reach it.
constexpr size_t kMostBytes = 64;

struct Kept final : plumb::http_load::SseHandler {
  void on_event(const plumb::http_load::SseEvent& event) override {
    if (event.data.size() > kMostBytes || event.type.size() > kMostBytes) __builtin_trap();
    events.push_back({std::string(event.type), std::string(event.data), std::string(event.id)});
  }
  std::vector<std::vector<std::string>> events;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using plumb::http_load::SseDecoder;
  if (size < 2) return 0;
  const size_t steps[] = {data[0] % 16 + 1u, data[1] % 16 + 1u};
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  Kept whole;
  SseDecoder at_once(kMostBytes);
  const bool whole_is_good = at_once.feed(rest, whole);

  Kept pieces;
  SseDecoder in_pieces(kMostBytes);
  bool pieces_are_good = true;
  for (size_t i = 0; !rest.empty(); ++i) {
    const size_t step = steps[i % 2] < rest.size() ? steps[i % 2] : rest.size();
    pieces_are_good = in_pieces.feed(rest.substr(0, step), pieces);
    rest.remove_prefix(step);
  }
  if (whole_is_good != pieces_are_good || whole.events != pieces.events) __builtin_trap();
  if (at_once.retry_ms() != in_pieces.retry_ms()) __builtin_trap();
  return 0;
}
