#include "core/session/exit_code.h"

namespace plumb::session {
namespace {

std::string text_at(const nlohmann::json& report, const char* pointer) {
  const nlohmann::json::json_pointer at(pointer);
  return report.contains(at) && report[at].is_string() ? report[at].get<std::string>() : "";
}

}  // namespace

ExitCode exit_code_of(const nlohmann::json& report) {
  if (text_at(report, "/run/state") == "failed") return ExitCode::kFailed;
  if (text_at(report, "/validity/status") != "valid") return ExitCode::kNotValid;
  if (text_at(report, "/run/state") != "finished") return ExitCode::kNotValid;
  const auto slos = report.find("slos");
  if (slos != report.end() && slos->is_array())
    for (const auto& slo : *slos)
      if (!slo.is_object() || !slo.contains("met") || slo["met"] != true)
        return ExitCode::kSloBreached;
  return ExitCode::kPassed;
}

}  // namespace plumb::session
