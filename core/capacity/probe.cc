#include "core/capacity/probe.h"

#include <algorithm>

namespace plumb::capacity {
namespace {

constexpr double kMostBehind = 0.01;  // of the requests that were due
constexpr double kFewRequests = 3;

}  // namespace

std::string_view verdict_name(ProbeVerdict verdict) {
  switch (verdict) {
    case ProbeVerdict::kKept:
      return "kept";
    case ProbeVerdict::kMissed:
      return "missed";
    case ProbeVerdict::kGeneratorLimited:
      return "generator_limited";
    case ProbeVerdict::kInsufficient:
      return "insufficient";
  }
  return "insufficient";
}

bool falls_behind(double due, double ended) {
  return due - ended > std::max(kMostBehind * due, kFewRequests);
}

}  // namespace plumb::capacity
