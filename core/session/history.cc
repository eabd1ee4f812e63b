#include "core/session/history.h"

#include <algorithm>

#include "core/diagnose/diagnosis.h"
#include "core/facts/facts.h"
#include "core/session/run_directory.h"
#include "core/session/session.h"
#include "core/store/run_file.h"

namespace plumb::session {
namespace {

using compare::HistoryRun;
using nlohmann::json;

std::optional<double> number_in(const json& summary, const char* key) {
  const auto found = summary.find(key);
  return found != summary.end() && found->is_number() ? std::optional(found->get<double>())
                                                      : std::nullopt;
}

std::string text_in(const json& summary, const char* key) {
  const auto found = summary.find(key);
  return found != summary.end() && found->is_string() ? found->get<std::string>() : "";
}

// False when the summary lacks what the history tells.
bool take_summary(const store::RunData& header, HistoryRun& run) {
  const auto found = header.documents.find(kSummaryDocument);
  if (found == header.documents.end() || !found->second.is_object()) return false;
  const json& summary = found->second;
  if (!summary.contains("p50_s")) return false;
  run.valid = text_in(summary, "validity") == "valid";
  run.verdict = text_in(summary, "verdict");
  run.cause = text_in(summary, "cause");
  run.p50_s = number_in(summary, "p50_s");
  run.p95_s = number_in(summary, "p95_s");
  run.p99_s = number_in(summary, "p99_s");
  run.rate = number_in(summary, "rate");
  run.error_rate = number_in(summary, "error_rate");
  return true;
}

bool take_signals(const std::filesystem::path& file, HistoryRun& run) {
  const auto data = store::read_run(file);
  if (!data.is_ok()) return false;
  facts::FactSet facts = facts::compute(*data);
  const auto diagnosis = diagnose::diagnose(*data, facts);
  if (!diagnosis.is_ok()) return false;
  run.valid = diagnosis->validity.status == diagnose::ValidityStatus::kValid;
  run.verdict = diagnosis->verdict.label;
  if (diagnosis->verdict.bottleneck) run.cause = diagnosis->verdict.bottleneck->cause;
  run.p50_s = facts.value("latency.p50");
  run.p95_s = facts.value("latency.p95");
  run.p99_s = facts.value("latency.p99");
  run.rate = facts.value("requests.rate");
  run.error_rate = facts.value("requests.error_rate");
  return true;
}

}  // namespace

std::vector<std::string> plans_in(const std::filesystem::path& directory) {
  std::vector<std::string> out;
  for (const auto& file : list_runs(directory)) {
    const auto run = store::read_run_header(file);
    if (run.is_ok() && std::find(out.begin(), out.end(), run->header.name) == out.end())
      out.push_back(run->header.name);
  }
  return out;
}

std::vector<HistoryRun> history(const std::filesystem::path& directory, const std::string& plan) {
  std::vector<HistoryRun> out;
  for (const auto& file : list_runs(directory)) {
    const auto header = store::read_run_header(file);
    if (!header.is_ok() || header->header.name != plan ||
        header->state == store::RunState::kRunning)
      continue;
    HistoryRun run;
    run.id = header->header.id;
    run.started_unix_ms = header->header.started_unix_ms;
    if (!take_summary(*header, run) && !take_signals(file, run)) continue;
    run.valid = run.valid && header->state == store::RunState::kFinished;
    out.push_back(std::move(run));
  }
  std::stable_sort(out.begin(), out.end(), [](const HistoryRun& a, const HistoryRun& b) {
    return a.started_unix_ms < b.started_unix_ms;
  });
  return out;
}

}  // namespace plumb::session
