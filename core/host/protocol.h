// What the engine and a plumb-host say to each other, and how it looks inside a frame. Control is
// JSON; samples, histograms and stacks, which are many, are binary little-endian:
//
//   samples:    u32 count; count times: u32 series, i64 time_ns, f64 value
//   histogram:  u32 series, i64 start_ns, i64 end_ns, u32 precision_bits, u64 sum, u64 minimum,
//               u64 maximum, u32 bucket count; bucket count times: u32 index, u64 count
//   stacks:     u32 layer, i64 start_ns, i64 end_ns; profile, unit and help as u16 length and
//   bytes;
//               u32 count; count times: f64 weight, u16 length and bytes of the frames
//   analyze, result:  u32 request, then the JSON text itself
//
// A decoder takes the payload of a frame of its type and trusts nothing in it: what it gives back
// is well-formed. What depends on the conversation so far (ids, order of times) is SignalCheck's.
#ifndef PLUMB_CORE_HOST_PROTOCOL_H_
#define PLUMB_CORE_HOST_PROTOCOL_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/frame.h"
#include "core/signal/signal.h"

namespace plumb::host {

// ---- From the engine. Each `request` is answered with one Reply (analyze: or one Result).

struct ConfigureRequest {
  uint32_t request = 0;
  nlohmann::json values = nlohmann::json::object();  // key to value, in carried units
  std::string document;                              // plumb_config.document
};
struct StartRequest {
  uint32_t request = 0;
};
struct BeginSampling {  // not answered
  int64_t interval_ns = 0;
  uint32_t cpu_budget_ppm = 0;  // of one processor; 0: none
};
struct StageRequest {
  uint32_t request = 0;
  StageSpan stage;
};
struct DriveRequest {
  uint32_t request = 0;
  std::vector<StageSpan> stages;
};
struct AnalyzeRequest {
  uint32_t request = 0;
  std::string json;
};
struct StopRequest {
  uint32_t request = 0;
  int64_t deadline_ns = 0;  // an instant
};

// Whole frames. What can be too long for a frame gives RESOURCE_EXHAUSTED.
Result<std::string> encode(const ConfigureRequest& message);
std::string encode(const StartRequest& message);
std::string encode(const BeginSampling& message);
std::string encode(const StageRequest& message);
std::string encode(const DriveRequest& message);
Result<std::string> encode(const AnalyzeRequest& message);
std::string encode_interrupt();
std::string encode(const StopRequest& message);

Result<ConfigureRequest> decode_configure(std::string_view payload);
Result<StartRequest> decode_start(std::string_view payload);
Result<BeginSampling> decode_begin_sampling(std::string_view payload);
Result<StageRequest> decode_stage(std::string_view payload);
Result<DriveRequest> decode_drive(std::string_view payload);
Result<AnalyzeRequest> decode_analyze(std::string_view payload);
Result<StopRequest> decode_stop(std::string_view payload);

// ---- From the host.

// First of all, when the plugin has been loaded and created.
struct Hello {
  std::string name;
  std::string version;
  uint32_t role = 0;  // enum plumb_role
};
// Instead of Hello, before the host ends.
struct Refused {
  int32_t code = PLUMB_INTERNAL;
  std::string message;
};
struct Reply {
  uint32_t request = 0;
  int32_t code = PLUMB_OK;
  std::string message;
};
struct AnalyzeResult {
  uint32_t request = 0;
  std::string json;
};
// Every kHeartbeatNs.
struct Heartbeat {
  std::string call;      // "collect", "drive", ...: what the plugin is in; empty when in nothing
  int64_t since_ns = 0;  // when it was called
  uint64_t dropped = 0;  // signals dropped at a limit, since the beginning
  uint64_t refused = 0;  // signals that were not valid
  uint64_t skipped_collects = 0;  // ticks missed because a collect overran
  uint64_t failed_collects = 0;
  int64_t interval_ns = 0;    // between two collects, as of now; 0: it does not sample
  int64_t late_ns = 0;        // of the collect that began latest since the last heartbeat
  uint32_t cpu_used_ppm = 0;  // of one processor, over the last seconds
};
struct HistogramMessage {
  uint32_t series = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  uint32_t precision_bits = Histogram::kDefaultPrecisionBits;
  std::vector<plumb_bucket> buckets;
  uint64_t sum = 0;
  uint64_t minimum = 0;
  uint64_t maximum = 0;
};
struct LogLine {
  uint32_t level = PLUMB_INFO;  // enum plumb_level
  std::string message;
};

inline constexpr int64_t kHeartbeatNs = 1'000'000'000;

std::string encode(const Hello& message);
std::string encode(const Refused& message);
std::string encode(const Reply& message);
Result<std::string> encode(const AnalyzeResult& message);
std::string encode(const Heartbeat& message);
std::string encode(const LogLine& message);
// `series.plugin` and those of the following do not travel: the engine knows who is speaking.
std::string encode(const SeriesInfo& series);
std::string encode(const Event& event);
std::string encode(const TableRecord& table);
std::string encode(const HealthChange& change);
std::string encode(const std::vector<Sample>& samples);
Result<std::string> encode(const HistogramMessage& histogram);
Result<std::string> encode(const StackBatch& batch);

Result<Hello> decode_hello(std::string_view payload);
Result<Refused> decode_refused(std::string_view payload);
Result<Reply> decode_reply(std::string_view payload);
Result<AnalyzeResult> decode_result(std::string_view payload);
Result<Heartbeat> decode_heartbeat(std::string_view payload);
Result<LogLine> decode_log(std::string_view payload);
Result<SeriesInfo> decode_series(std::string_view payload);
Result<Event> decode_event(std::string_view payload);
Result<TableRecord> decode_table(std::string_view payload);
Result<HealthChange> decode_health(std::string_view payload);
Result<std::vector<Sample>> decode_samples(std::string_view payload);
Result<HistogramMessage> decode_histogram(std::string_view payload);
Result<StackBatch> decode_stacks(std::string_view payload);

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_PROTOCOL_H_
