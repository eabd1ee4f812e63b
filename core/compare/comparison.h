// A run against what it is measured by, one run or several: what changed, by how much, whether that
// can be chance, and which layer it came from.
#ifndef PLUMB_CORE_COMPARE_COMPARISON_H_
#define PLUMB_CORE_COMPARE_COMPARISON_H_

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/compare/environment_difference.h"
#include "core/compare/measures.h"

namespace plumb::compare {

struct CompareOptions {
  double false_share = 0.05;        // q: of the changes that are told, at most so many are chance
  double least_relative = 0.05;     // a change is told from this share of the base on,
  double least_seconds = 0.0001;    // and from so many seconds on,
  double least_error_rate = 0.001;  // or such a difference of the error rate
  bool force = false;               // compare also what is not alike
};

enum class ChangeVerdict { kSame, kImproved, kRegressed, kInsufficientData };
std::string_view verdict_name(ChangeVerdict verdict);  // same, improved, regressed,
                                                       // insufficient_data

// One figure in both. What is not known is empty.
struct Change {
  Kind kind = Kind::kClient;
  std::string metric;
  std::string subject;
  std::string label;
  std::string layer;
  std::string unit;
  bool higher_is_better = false;
  std::optional<double> base;  // of several base runs the (geometric) mean
  std::optional<double> run;
  std::optional<double> difference;  // in the unit, with its 95% interval
  std::optional<double> low;
  std::optional<double> high;
  std::optional<double> p;  // of chance alone
  std::optional<double> q;  // the same, with regard to how many figures were looked at
  ChangeVerdict verdict = ChangeVerdict::kInsufficientData;
  std::string reason;  // why there is insufficient data, or another remark
  bool changed() const {
    return verdict == ChangeVerdict::kImproved || verdict == ChangeVerdict::kRegressed;
  }
  // Of the base; empty where that is zero or unknown.
  std::optional<double> relative(const std::optional<double>& by) const;
};

// The line of the ledger that most of a change of the mean came from.
struct Responsible {
  std::string key;
  std::string layer;
  std::string label;
  double ms = 0;
  double share = 0;  // of the difference of the mean
};

// The cause that explains most of a change of the mean: one that the slower side's diagnosis names,
// and that costs the faster side nothing, or less.
struct Explanation {
  std::string cause;
  std::string layer;
  std::string says;    // of the slower side
  double base_ms = 0;  // of each request; 0 where it was not found
  double run_ms = 0;
};

struct ComparedRun {
  std::string id;
  std::string name;
  int64_t started_unix_ms = 0;
  double requests = 0;
  double window_s = 0;
  double block_s = 0;
  size_t blocks = 0;
  std::string verdict;  // its own
  std::string cause;
};

struct Comparison {
  ComparedRun run;
  std::vector<ComparedRun> base;
  std::string baseline;         // the name of the baseline that the base is, or empty
  std::string label;            // Stable, Warning, Threat, Inconclusive
  std::string conclusion;       // one sentence or two
  std::string insufficient;     // why nothing could be compared, or empty
  std::string undecided;        // what may be a regression and may be the machine's, or empty
  std::vector<Change> client;   // all requests first, then endpoint by endpoint
  std::vector<Change> ledger;   // the largest difference first; they sum to `mean_difference_ms`
  std::vector<Change> queries;  // those whose time per request changed most first
  double mean_difference_ms = 0;
  std::optional<Responsible> responsible;
  std::optional<Explanation> explanation;
  std::vector<EnvironmentDifference> environment;
  std::vector<std::string> notes;
  bool has_stacks = false;  // both have stack profiles
  size_t tested = 0;        // figures
  CompareOptions options;

  bool regressed() const;  // something that the client saw
};

// INVALID_ARGUMENT, with what differs, when the runs are not alike enough to be compared and
// `force` does not say so. `base` is not empty.
Result<Comparison> compare(const std::vector<RunMeasures>& base, const RunMeasures& run,
                           const CompareOptions& options);

// "p95", "p95 of orders", "throughput", "database: WAL write and sync at commit", "calls per
// request".
std::string change_name(const Change& change);

}  // namespace plumb::compare

#endif  // PLUMB_CORE_COMPARE_COMPARISON_H_
