// What a signal must be to be taken. The host checks what its plugin hands it, so that a plugin's
// mistake is answered with a status; the engine checks the same of what arrives, since a plugin may
// have taken its host over, and ends a host that sends anything that fails here.
#ifndef PLUMB_CORE_HOST_SIGNAL_CHECK_H_
#define PLUMB_CORE_HOST_SIGNAL_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/host/protocol.h"
#include "core/signal/signal.h"

namespace plumb::host {

inline constexpr size_t kMaxSeries = 10'000;  // per instance
inline constexpr size_t kMaxSamplesPerBatch = 65'536;
inline constexpr size_t kMaxLabels = 16;
inline constexpr size_t kMaxName = 128;
inline constexpr size_t kMaxText = 1'024;         // label values, help, messages of health
inline constexpr size_t kMaxMessage = 4'096;      // events, logs, errors
inline constexpr size_t kMaxAttributes = 65'536;  // bytes of JSON of one event
inline constexpr size_t kMaxTableJson = 1'048'576;
inline constexpr size_t kMaxTableRows = 1'000;
inline constexpr size_t kMaxTableColumns = 64;
inline constexpr size_t kMaxStacks = 50'000;                     // per emission
inline constexpr size_t kMaxStackBytes = 3 * size_t{1'048'576};  // of all their frames
inline constexpr size_t kMaxFrames = 256;                        // of one stack
inline constexpr size_t kMaxFramesBytes = 16'384;
inline constexpr double kMaxWeight = 1e15;  // so that no sum of weights overflows
inline constexpr size_t kMaxProfiles = 16;  // per instance
// What a host lets one plugin send; what is more is dropped.
inline constexpr double kSamplesPerSecond = 200'000;
inline constexpr double kBytesPerSecond = 16.0 * 1024 * 1024;
inline constexpr double kMessagesPerSecond = 500;  // events, tables, logs
inline constexpr double kHealthPerSecond = 10;
inline constexpr double kBurstSeconds = 2;
// How far past the clock's present a time may lie.
inline constexpr int64_t kClockSlackNs = 1'000'000'000;

// One signal by itself.
Status check_series(const SeriesInfo& series);
Status check_event(const Event& event);
Status check_table(const TableRecord& table);
Status check_health(const HealthChange& change);
Status check_histogram(const HistogramMessage& histogram);
// RESOURCE_EXHAUSTED for more stacks than one emission may have.
Status check_stacks(const StackBatch& batch);

// Frames as a plugin gives them, made fit for check_stacks: what is longer than a stack may be is
// cut at the outer end, control characters and what is not UTF-8 become '?', frames without a name
// are left out. Empty when nothing is left.
std::string clean_frames(std::string_view frames);

// Signals of one instance in their order. Not thread-safe.
class SignalCheck {
 public:
  // No signal may be older than `earliest_ns`, the instance's beginning.
  explicit SignalCheck(int64_t earliest_ns) : earliest_ns_(earliest_ns) {}

  // Declares a series and gives it the next id: 1, 2, ... Declared again with the same meaning, it
  // keeps the id it has (`second` is false); with another meaning it is refused.
  Result<std::pair<uint32_t, bool>> declare(const SeriesInfo& series);
  Status samples(const std::vector<Sample>& samples, int64_t now_ns);
  Status histogram(const HistogramMessage& histogram, int64_t now_ns);
  // Of a batch that check_stacks has passed, which is the costly part: its profile and its times.
  Status stacks_order(const StackBatch& batch, int64_t now_ns);
  Status time(int64_t time_ns, int64_t now_ns) const;

 private:
  struct Known {
    SeriesInfo series;
    int64_t last_ns;
  };
  // nullptr when no series has this id.
  Known* find(uint32_t id);

  int64_t earliest_ns_;
  std::vector<Known> known_;  // by id - 1
  std::map<std::pair<std::string, Labels>, uint32_t> ids_;
  struct KnownProfile {
    std::string unit;
    uint32_t layer;
    int64_t last_ns;
  };
  std::map<std::string, KnownProfile> profiles_;
};

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_SIGNAL_CHECK_H_
