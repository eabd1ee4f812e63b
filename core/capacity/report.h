// A capacity search as people and scripts read it.
#ifndef PLUMB_CORE_CAPACITY_REPORT_H_
#define PLUMB_CORE_CAPACITY_REPORT_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/capacity/search.h"
#include "core/capacity/stress.h"
#include "core/plan/plan.h"
#include "core/session/exit_code.h"

namespace plumb::capacity {

struct Report {
  std::string id;
  std::string name;  // of the plan
  std::string url;   // of its target
  int64_t started_unix_ms = 0;
  SearchOptions options;
  std::vector<plan::Slo> promises;
  SearchResult search;
  std::optional<StressResult> stress = {};
};

// Found: kPassed. Not even the lowest rate kept: kSloBreached. Generator-limited, too few requests,
// interrupted, or no edge found in the time: kNotValid. A target that could not be measured:
// kFailed.
session::ExitCode exit_code_of(const SearchResult& result);

// Version 1: {"schema_version", "id", "name", "url", "started_unix_ms", "outcome", "ended",
// "exit_code", "capacity": {"rate", "low", "high"} | null, "highest_kept", "lowest_missed",
// "first_to_fail": {"clause", "sentence"} | null, "promises": [...], "baseline", "probes": [...],
// "stress": {...} | null, "options", "seconds"}. Rates are per second, times in seconds; what is
// not known is null.
nlohmann::json to_json(const Report& report);

// The conclusion, the promises and a table of all probes by rate.
std::string to_console(const Report& report);

// What one probe came to, on one line: for progress.
std::string probe_line(const Probe& probe);

}  // namespace plumb::capacity

#endif  // PLUMB_CORE_CAPACITY_REPORT_H_
