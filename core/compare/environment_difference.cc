#include "core/compare/environment_difference.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/base/json_text.h"

namespace plumb::compare {
namespace {

using nlohmann::json;

constexpr size_t kDeepest = 16;
constexpr size_t kMostDifferences = 100;

// Where a run is kept or logged, and what it is held against, changes nothing that it measures.
constexpr std::array<std::string_view, 4> kLeftOut = {"run_dir", "baseline", "load.log",
                                                      "load.seed"};
// A name stands for what is measured, and the model decides what throughput means.
constexpr std::array<std::string_view, 3> kDecisive = {"name", "load.model", "load.protocol"};
constexpr std::array<std::string_view, 3> kMinor = {"load.cooldown", "target.health",
                                                    "target.health_timeout"};

bool is_or_is_below(std::string_view key, std::string_view section) {
  return key == section || (key.starts_with(section) && key.size() > section.size() &&
                            (key[section.size()] == '.' || key[section.size()] == '['));
}

template <size_t N>
bool any_of(const std::array<std::string_view, N>& sections, std::string_view key) {
  return std::any_of(sections.begin(), sections.end(),
                     [&](std::string_view section) { return is_or_is_below(key, section); });
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : json_text(value);
}

void flatten(const json& value, const std::string& key, size_t depth,
             std::map<std::string, std::string>& out) {
  if (value.is_object() && depth < kDeepest) {
    for (const auto& [name, below] : value.items())
      flatten(below, key.empty() ? name : key + "." + name, depth + 1, out);
  } else if (value.is_array() && depth < kDeepest) {
    for (size_t i = 0; i < value.size(); ++i)
      flatten(value[i], key + "[" + std::to_string(i) + "]", depth + 1, out);
  } else if (!value.is_null()) {
    out[key] = text_of(value);
  }
}

std::map<std::string, std::string> flattened(const json& value) {
  std::map<std::string, std::string> out;
  if (value.is_object()) flatten(value, "", 0, out);
  return out;
}

Weight weight_of_plan(const std::string& key) {
  if (any_of(kDecisive, key)) return Weight::kRefused;
  if (is_or_is_below(key, "load") || is_or_is_below(key, "target"))
    return any_of(kMinor, key) ? Weight::kNote : Weight::kWarning;
  // Samplers cost something, and objectives nothing.
  return is_or_is_below(key, "plugins") ? Weight::kWarning : Weight::kNote;
}

Weight weight_of_environment(const std::string& key) {
  if (key == "processors" || key == "processor" || key == "memory_bytes" || key == "machine" ||
      key == "kernel")
    return Weight::kWarning;
  return Weight::kNote;
}

void differ(const json& base, const json& run, const std::string& prefix,
            Weight (*weight)(const std::string&), std::vector<EnvironmentDifference>& out) {
  const auto before = flattened(base);
  const auto after = flattened(run);
  std::set<std::string> keys;
  for (const auto& [key, value] : before) keys.insert(key);
  for (const auto& [key, value] : after) keys.insert(key);
  for (const std::string& key : keys) {
    if (prefix == "plan." && any_of(kLeftOut, key)) continue;
    const auto old = before.find(key);
    const auto now = after.find(key);
    EnvironmentDifference difference{prefix + key, old == before.end() ? "" : old->second,
                                     now == after.end() ? "" : now->second, weight(key)};
    if (difference.base != difference.run && out.size() < kMostDifferences)
      out.push_back(std::move(difference));
  }
}

}  // namespace

std::string_view weight_name(Weight weight) {
  switch (weight) {
    case Weight::kNote:
      return "note";
    case Weight::kWarning:
      return "warning";
    case Weight::kRefused:
      return "refused";
  }
  return "note";
}

std::vector<EnvironmentDifference> environment_differences(const Surroundings& base,
                                                           const Surroundings& run) {
  std::vector<EnvironmentDifference> out;
  differ(base.plan, run.plan, "plan.", &weight_of_plan, out);
  differ(base.environment, run.environment, "environment.", &weight_of_environment, out);
  std::stable_sort(out.begin(), out.end(),
                   [](const EnvironmentDifference& a, const EnvironmentDifference& b) {
                     return a.weight > b.weight;
                   });
  return out;
}

}  // namespace plumb::compare
