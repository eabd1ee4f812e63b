#include "core/session/exit_code.h"

#include <algorithm>

namespace plumb::session {
namespace {

std::string text_at(const nlohmann::json& report, const char* pointer) {
  const nlohmann::json::json_pointer at(pointer);
  return report.contains(at) && report[at].is_string() ? report[at].get<std::string>() : "";
}

// The target failed so much that nothing else can be judged: that is its answer, and no fault of
// the measurement.
bool failed_its_requests(const nlohmann::json& slo) {
  const std::string metric = slo.is_object() ? slo.value("metric", "") : "";
  if (metric == "abort") return true;
  return metric == "error_rate" && slo.value("met", true) == false && slo.contains("actual") &&
         slo["actual"].is_number();
}

}  // namespace

ExitCode exit_code_of(const nlohmann::json& report) {
  if (text_at(report, "/run/state") == "failed") return ExitCode::kFailed;
  if (text_at(report, "/run/state") != "finished") return ExitCode::kNotValid;
  const std::string validity = text_at(report, "/validity/status");
  const auto found = report.find("slos");
  const nlohmann::json slos =
      found != report.end() && found->is_array() ? *found : nlohmann::json::array();
  if (validity == "insufficient" && std::any_of(slos.begin(), slos.end(), failed_its_requests))
    return ExitCode::kSloBreached;
  if (validity != "valid") return ExitCode::kNotValid;
  for (const auto& slo : slos)
    if (!slo.is_object() || !slo.contains("met") || slo["met"] != true)
      return ExitCode::kSloBreached;
  return ExitCode::kPassed;
}

ExitCode exit_code_of_comparison(const nlohmann::json& comparison) {
  const nlohmann::json::json_pointer regressed("/verdict/regressed");
  if (!comparison.contains(regressed) || !comparison[regressed].is_boolean() ||
      !text_at(comparison, "/verdict/insufficient").empty())
    return ExitCode::kNotValid;
  return comparison[regressed].get<bool>() ? ExitCode::kRegressed : ExitCode::kPassed;
}

}  // namespace plumb::session
