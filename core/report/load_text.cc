#include "core/report/load_text.h"

#include <algorithm>

#include "core/base/number_text.h"
#include "core/report/json_read.h"

namespace plumb::report {

using nlohmann::json;

std::string load_text(const json& report) {
  const json& run = member(report, "run");
  const std::string model = text(run, "model");
  if (const auto users = number(run, "users"))
    return model + ", " + grouped(*users) + (*users == 1 ? " user" : " users");
  if (const auto rate = number(run, "rate")) {
    const bool whole = *rate == static_cast<double>(static_cast<int64_t>(std::min(*rate, 1e15)));
    return model + ", " + grouped(*rate, whole ? 0 : 1) + "/s";
  }
  const json& load = member(member(report, "plan"), "load");
  if (const size_t stages = list(load, "stages").size(); stages > 0 && !model.empty())
    return model + ", " + grouped(static_cast<double>(stages)) +
           (stages == 1 ? " stage" : " stages");
  if (const std::string replay = text(load, "replay"); !replay.empty()) return "open, a replay";
  return model;
}

std::string window_text(const json& report) {
  const auto seconds = number(member(member(report, "run"), "window"), "seconds");
  if (!seconds) return "no steady stage";
  if (*seconds >= 60) return "steady " + seconds_text(*seconds);
  const bool whole =
      *seconds - static_cast<int>(*seconds) < 0.05 || *seconds - static_cast<int>(*seconds) > 0.95;
  return "steady " + grouped(*seconds, whole ? 0 : 1) + " s";
}

std::string short_seconds(double seconds) {
  return seconds >= 0.01 && seconds < 1 ? grouped(seconds * 1e3) + " ms" : seconds_text(seconds);
}

std::vector<std::string> spike_sentences(const json& report) {
  std::vector<std::string> out;
  const json& facts = list(report, "facts");
  for (const json& fact : facts) {
    if (text(fact, "name") != "spike.p95") continue;
    const std::string stage = text(member(fact, "labels"), "stage");
    const auto of_stage = [&](std::string_view name) -> std::optional<double> {
      for (const json& other : facts)
        if (text(other, "name") == name && text(member(other, "labels"), "stage") == stage)
          return number(other, "value");
      return std::nullopt;
    };
    const auto recovery = of_stage("spike.recovery");
    out.push_back(stage + ": p95 " + short_seconds(number(fact, "value").value_or(0)) +
                  ", before it " + short_seconds(of_stage("spike.base_p95").value_or(0)) + "; " +
                  (recovery ? *recovery > 0 ? "recovered after " + short_seconds(*recovery)
                                            : std::string("recovered at once")
                            : "not recovered by the end of the run"));
  }
  return out;
}

std::optional<double> fact_value(const json& report, std::string_view name) {
  for (const json& fact : list(report, "facts")) {
    const json& known = member(fact, "name");
    if (known.is_string() && known.get_ref<const std::string&>() == name &&
        member(fact, "labels").empty())
      return number(fact, "value");
  }
  return std::nullopt;
}

bool is_judged(const json& report) {
  return text(member(report, "validity"), "status") != "insufficient";
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace plumb::report
