#include "core/compare/machine.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/number_text.h"

namespace plumb::compare {
namespace {

constexpr double kSameWork = 0.1;      // of the bytes of an answer, of the rate
constexpr double kSameSetUp = 0.05;    // connections for each request
constexpr double kUsualPace = 0.05;    // the generator's cost differs as much on the same machine
constexpr double kTellingPace = 0.15;  // logarithm
constexpr double kLeastTheft = 0.005;  // of the processors' time
constexpr double kReach = 2;           // requests that theft slows down, for each that it hits

Machine mean_of(const std::vector<RunMeasures>& runs) {
  Machine out;
  const auto k = static_cast<double>(runs.size());
  double logarithm = 0;
  bool is_known = true;
  for (const RunMeasures& run : runs) {
    out.stolen += run.machine.stolen / k;
    out.received_bytes += run.machine.received_bytes / k;
    out.connections_opened += run.machine.connections_opened / k;
    out.rate += run.machine.rate / k;
    is_known = is_known && run.machine.generator_s > 0;
    if (is_known) logarithm += std::log(run.machine.generator_s) / k;
  }
  out.generator_s = is_known ? std::exp(logarithm) : 0;
  return out;
}

bool is_same_work(const Machine& a, const Machine& b) {
  return a.generator_s > 0 && b.generator_s > 0 &&
         std::fabs(a.received_bytes - b.received_bytes) <=
             kSameWork * std::max(a.received_bytes, b.received_bytes) &&
         std::fabs(a.connections_opened - b.connections_opened) <= kSameSetUp;
}

std::string pace_text(double seconds) { return grouped(seconds * 1e6, 0) + " us of a processor"; }

}  // namespace

MachineDifference::MachineDifference(const std::vector<RunMeasures>& base, const RunMeasures& run)
    : base_(mean_of(base)), run_(run.machine) {
  if (!is_same_work(base_, run_)) return;
  const double pace = std::log(run_.generator_s / base_.generator_s);
  pace_ = std::copysign(std::max(0.0, std::fabs(pace) - kUsualPace), pace);
}

bool MachineDifference::theft_may_explain(const std::string& metric, bool rose,
                                          bool median_moved) const {
  const double theft = rose ? run_.stolen - base_.stolen : base_.stolen - run_.stolen;
  if (theft < kLeastTheft) return false;
  static const std::map<std::string, double> beyond = {
      {"p50", 0.5}, {"p90", 0.1}, {"p95", 0.05}, {"p99", 0.01}, {"p999", 0.001}};
  const auto quantile = beyond.find(metric);
  if (quantile != beyond.end()) return quantile->second <= kReach * theft;
  return metric == "mean" && !median_moved;
}

std::string MachineDifference::theft_text() const {
  return "the hypervisor kept " + ratio_text(run_.stolen) + " of the processors in the run and " +
         ratio_text(base_.stolen) + " in the base";
}

std::vector<EnvironmentDifference> MachineDifference::told() const {
  std::vector<EnvironmentDifference> out;
  if (std::fabs(run_.stolen - base_.stolen) >= kLeastTheft)
    out.push_back(
        {"measured.stolen", ratio_text(base_.stolen), ratio_text(run_.stolen), Weight::kWarning});
  // At a lower rate the generator wakes up for fewer answers at a time.
  const bool same_rate =
      std::fabs(run_.rate - base_.rate) <= kSameWork * std::max(run_.rate, base_.rate);
  if (same_rate && std::fabs(pace_) >= kTellingPace - kUsualPace)
    out.push_back({"measured.generator_cpu_per_request", pace_text(base_.generator_s),
                   pace_text(run_.generator_s), Weight::kWarning});
  return out;
}

}  // namespace plumb::compare
