// The parts of report.json, each made from a run by one file. Only build.cc puts them together.
#ifndef PLUMB_CORE_REPORT_SECTIONS_H_
#define PLUMB_CORE_REPORT_SECTIONS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/diagnose/diagnosis.h"
#include "core/facts/facts.h"
#include "core/store/run_file.h"

namespace plumb::report {

// Seconds since the run began, to the millisecond.
double run_seconds(const store::RunData& run, int64_t time_ns);
// {"start_s", "end_s"}
nlohmann::json span(const store::RunData& run, int64_t start_ns, int64_t end_ns);
// The number, or null when it is unknown or not finite.
nlohmann::json or_null(const std::optional<double>& value);
// Six significant digits: what a chart shows, without the noise that makes a file large.
double six_digits(double value);

// What was concluded (diagnosis_json.cc).
nlohmann::json validity_json(const diagnose::Validity& validity);
nlohmann::json verdict_json(const diagnose::Verdict& verdict);
nlohmann::json ledger_json(const diagnose::Ledger& ledger);
// The ledger in slices: [{"start_s", "end_s", "requests", "total_ms", "ms": {key: ms}}].
nlohmann::json ledger_over_time_json(const store::RunData& run, const diagnose::Ledger& ledger);
// What changed under the same load.
nlohmann::json changes_json(const diagnose::Diagnosis& diagnosis);
// Each stage by itself, where there are several.
nlohmann::json stages_json(const store::RunData& run, const diagnose::Diagnosis& diagnosis);
nlohmann::json endpoint_ledgers_json(const diagnose::Diagnosis& diagnosis);
nlohmann::json ledger_summary_json(const diagnose::Ledger& ledger);
nlohmann::json matrix_json(const diagnose::Diagnosis& diagnosis);
nlohmann::json findings_json(const diagnose::Diagnosis& diagnosis);
// How far the service could go, or null.
nlohmann::json capacity_model_json(const diagnose::Diagnosis& diagnosis);
nlohmann::json slos_json(const diagnose::Diagnosis& diagnosis);
nlohmann::json facts_json(const store::RunData& run, const facts::FactSet& facts);

// What the client saw (traffic_json.cc).
nlohmann::json endpoints_json(const facts::FactSet& facts);
nlohmann::json errors_json(const store::RunData& run, const facts::FactSet& facts);
nlohmann::json latency_histogram_json(const store::RunData& run);
// {"edges_ms", "intervals": [{"start_s", "end_s", "failed", "counts"}]}: the response times of what
// succeeded, interval by interval; counts are between two edges each, and add up over intervals.
nlohmann::json latency_intervals_json(const store::RunData& run);

// Everything over time, from the run's start to its end, in at most 600 intervals
// (timeline_json.cc).
nlohmann::json timeline_json(const store::RunData& run);

// What plugins said beside series (record_json.cc). A table that is not what the ABI asks for is
// left out, and `notes` says so.
nlohmann::json tables_json(const store::RunData& run, nlohmann::json& notes);
nlohmann::json health_json(const store::RunData& run);
nlohmann::json events_json(const store::RunData& run, nlohmann::json& notes);
nlohmann::json self_json(const store::RunData& run, const facts::FactSet& facts);

// Stack profiles over the steady window, or over the whole run where there is none
// (profiles_json.cc). What cannot be read is left out, and `notes` says so.
nlohmann::json profiles_json(const store::RunData& run, const facts::FactSet& facts,
                             nlohmann::json& notes);

}  // namespace plumb::report

#endif  // PLUMB_CORE_REPORT_SECTIONS_H_
