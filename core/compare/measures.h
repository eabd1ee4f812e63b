// What one run says that can be held against another run: figures with their spread.
#ifndef PLUMB_CORE_COMPARE_MEASURES_H_
#define PLUMB_CORE_COMPARE_MEASURES_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/compare/significance.h"
#include "core/store/run_file.h"

namespace plumb::compare {

inline constexpr double kLeastBlock = 5;    // seconds
inline constexpr double kFewestBlocks = 6;  // so a run must measure 30 s to be compared
inline constexpr uint64_t kResamples = 400;

enum class Kind {
  kClient,  // what the client saw: what a regression is judged by
  kLedger,  // a line of the time ledger
  kQuery    // a statement of the database
};

// A figure with its spread. Times and rates are compared by their ratio (on a logarithmic scale),
// shares and the ledger's lines by their difference.
struct Measure {
  Kind kind = Kind::kClient;
  std::string metric;   // mean p50 p90 p95 p99 p999 throughput error_rate; time_per_request of a
                        // line; calls_per_request, time_per_call of a query
  std::string subject;  // the endpoint, the line's key, the query's id; empty: all requests
  std::string label;    // for people: the line's label, the query's text
  std::string layer;    // of a line
  std::string unit;     // seconds, requests/s, ratio, calls, as facts carry it
  bool higher_is_better = false;
  bool by_ratio = true;
  double value = 0;
  Estimate estimate;         // on the scale; when by_ratio, of the logarithm
  double floor = 0;          // how much runs of the same thing differ, on the scale
  std::string insufficient;  // why it cannot be compared, or empty
};

// How much two runs of the same thing on the same machine differ at the least beyond what each
// shows within itself, as a standard deviation: the assumption where only one base run is there. It
// is the larger the shorter a run is: what happens once in a minute is in one run and not in the
// other. docs/compare.md has the table.
double run_floor(std::string_view metric, double window_s);

// What the run's own diagnosis names: all findings, not the bottleneck alone.
struct FoundCause {
  std::string cause;
  std::string layer;
  std::string says;
  double cost_ms = 0;  // of each request
};

// What the machine was to a run. The load generator is the yardstick: the same program, which does
// the same for each request as long as answers and connections are the same.
struct Machine {
  double stolen = 0;       // share of the processors' time that the hypervisor kept
  double generator_s = 0;  // processor time of the load generator for each request; 0: unknown
  double received_bytes = 0;
  double connections_opened = 0;  // both for each request
  double rate = 0;                // requests per second
};

struct RunMeasures {
  std::string id;
  std::string name;  // of the plan
  int64_t started_unix_ms = 0;
  nlohmann::json plan;
  nlohmann::json environment;
  double window_s = 0;
  double block_s = 0;
  size_t blocks = 0;
  double requests = 0;
  // Why nothing of this run can be compared, or empty: its validity, its length.
  std::string insufficient;
  std::vector<Measure> measures;
  double ledger_total_ms = 0;      // 0: there is no ledger
  std::string verdict;             // of the run's own diagnosis
  std::vector<FoundCause> causes;  // its bottleneck first
  std::vector<std::string> met;    // its objectives, as "p95 of orders <= 50ms"
  std::vector<std::string> breached;
  bool has_stacks = false;
  Machine machine = {};

  const Measure* find(Kind kind, std::string_view metric, std::string_view subject) const;
};

// Computes facts and diagnosis, cuts the steady window into blocks and resamples them. The same
// run and seed give the same bits. Fails when the rules kept in the run cannot be read.
Result<RunMeasures> measure(const store::RunData& run, uint64_t seed = 1);

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_MEASURES_H_
