// One short run at a fixed rate, and who makes it.
#ifndef PLUMB_CORE_CAPACITY_PROBE_H_
#define PLUMB_CORE_CAPACITY_PROBE_H_

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::capacity {

enum class ProbeVerdict {
  kKept,              // every promise held and no backlog grew
  kMissed,            // the target did not keep the rate
  kGeneratorLimited,  // the load was not made as planned: says nothing about the target
  kInsufficient       // too few requests to judge
};
std::string_view verdict_name(ProbeVerdict verdict);  // kept, missed, ...

struct ProbeRequest {
  double rate = 0;       // requests/s
  double warmup_s = 0;   // discarded
  double measure_s = 0;  // judged
  uint64_t seed = 1;     // of the order of requests and of random arrivals
};

// What a probe saw. Rates are per second of the measured time.
struct Probe {
  double rate = 0;  // as asked for
  double measure_s = 0;
  ProbeVerdict verdict = ProbeVerdict::kInsufficient;
  double offered = 0;    // requests that were due
  double completed = 0;  // requests that ended, however they did
  double answered = 0;   // requests that succeeded
  double error_rate = 0;
  // Response times from the intended start; empty when no request succeeded.
  std::optional<double> p50_s = {};
  std::optional<double> p95_s = {};
  std::optional<double> p99_s = {};
  std::optional<double> lag_p99_s = {};  // how late the generator itself began
  bool behind = false;                   // completions fell behind arrivals, see falls_behind()
  bool hiccup = false;                   // missed, though most requests were as fast as when idle
  bool spent = false;                    // generator-limited by the rate, not by a busy machine
  std::string clause = {};               // the promise that was missed first: "p99", "backlog"
  std::string why = {};                  // one sentence; empty for kKept
  bool drained = true;                   // every request had ended when the probe did
  std::string run_id = {};               // empty: no run stands behind it
};

// The clause of a probe in which completions fell behind arrivals, and no objective was missed.
inline constexpr const char* kBacklogClause = "backlog";

// The target with one request at a time.
struct Baseline {
  double mean_s = 0;
  double p50_s = 0;
  double p99_s = 0;
};

// The target after it was overloaded and the load taken back.
struct Recovery {
  bool recovered = false;
  double seconds = 0;  // from the end of the overload to the first kept window, or watched
};

// Makes probes. One thread at a time; each call blocks, and ends early with CANCELLED when `stop`
// is used. Any other failure means that no more can be measured, such as a target that died.
class Prober {
 public:
  virtual ~Prober() = default;
  virtual Result<Baseline> baseline(std::stop_token stop) = 0;
  virtual Result<Probe> probe(const ProbeRequest& request, std::stop_token stop) = 0;
  // Waits, in bounded time, until the target is as it was at the baseline: after a probe that left
  // requests behind.
  virtual Status settle(std::stop_token stop) = 0;
  // Load of `rate` at once, for `most_s` at most: when did three windows of a second in a row keep
  // the promises?
  virtual Result<Recovery> recover(double rate, double most_s, std::stop_token stop) = 0;
};

// What `falls_behind` is asked of, in requests.
struct Backlog {
  double due = 0;            // while measuring
  double ended = 0;          // in the same time
  double busy = 0;           // in work at a time, as the baseline has it: rate * mean
  bool random_gaps = false;  // Poisson arrivals
};

// Whether completions fell behind arrivals: a queue that grows by half a percent of what arrives is
// endless, however lenient the promises are. What a steady queue gains by chance is none: a few
// requests in work more or less, and, where arrivals are random, what the last of them brought.
bool falls_behind(const Backlog& backlog);

// Sets `hiccup` of a probe that is judged otherwise: it missed a promise while the target kept up,
// turned few away and answered half of the requests as fast as one user's. A full target is slow
// for all; this is what a stall of the machine looks like, or one of the target's own.
void note_hiccup(Probe& probe, const Baseline& baseline);

// Whether the target turned requests away or fell behind: more than it could do was asked of it.
bool is_full(const Probe& probe);

}  // namespace plumb::capacity

#endif  // PLUMB_CORE_CAPACITY_PROBE_H_
