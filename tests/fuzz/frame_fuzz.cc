// What a plugin process may say to the engine, arbitrary bytes included: the stream of frames, and
// behind it everything that takes a signal. Built with clang's -fsanitize=fuzzer.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/engine/signal_receiver.h"
#include "core/host/frame.h"
#include "core/host/manifest.h"
#include "core/host/protocol.h"
#include "core/host/signal_check.h"

namespace {

class Nowhere final : public plumb::SignalSink {
 public:
  void on_series(const plumb::SeriesInfo&) override {}
  void on_samples(const std::vector<plumb::Sample>&) override {}
  void on_histogram(const plumb::HistogramRecord&) override {}
  void on_event(const plumb::Event&) override {}
  void on_table(const plumb::TableRecord&) override {}
  void on_stacks(const plumb::StackBatch&) override {}
  void on_health(const plumb::HealthChange&) override {}
};

// Each decoder sees the payload, whatever its type says.
void decode_all(std::string_view payload) {
  using namespace plumb::host;
  static_cast<void>(decode_configure(payload));
  static_cast<void>(decode_start(payload));
  static_cast<void>(decode_begin_sampling(payload));
  static_cast<void>(decode_stage(payload));
  static_cast<void>(decode_drive(payload));
  static_cast<void>(decode_analyze(payload));
  static_cast<void>(decode_stop(payload));
  static_cast<void>(decode_hello(payload));
  static_cast<void>(decode_refused(payload));
  static_cast<void>(decode_reply(payload));
  static_cast<void>(decode_result(payload));
  static_cast<void>(decode_heartbeat(payload));
  static_cast<void>(decode_log(payload));
  static_cast<void>(parse_manifest(payload));
  // What was taken goes over the wire as it came.
  if (const auto batch = decode_stacks(payload); batch.is_ok()) {
    if (encode(*batch)->substr(kFrameHeader) != payload) __builtin_trap();
  }
  // What the host has cleaned, the engine takes.
  const std::string frames = clean_frames(payload);
  const plumb::StackBatch cleaned{{}, "p", "1", {}, 0, 0, 0, {{frames, 1}}};
  if (!frames.empty() && !check_stacks(cleaned).is_ok()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kNow = 1'000'000'000;
  static const std::vector<std::string> secrets = {"secret"};
  Nowhere sink;
  plumb::engine::SeriesIds ids;
  plumb::engine::SignalReceiver receiver("fuzz", 0, secrets, sink, ids);
  plumb::host::FrameReader reader;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  reader.append(bytes);
  while (true) {
    const auto frame = reader.next();
    if (!frame.is_ok() || !frame->has_value()) break;
    decode_all((*frame)->payload);
    static_cast<void>(receiver.health_of(**frame, kNow));
    if (!receiver.take(**frame, kNow).is_ok()) break;
  }
  decode_all(bytes);
  return 0;
}
