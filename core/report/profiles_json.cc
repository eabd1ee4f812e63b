#include <algorithm>
#include <array>
#include <vector>

#include "core/profile/functions.h"
#include "core/profile/own_functions.h"
#include "core/profile/profile.h"
#include "core/profile/pruned_tree.h"
#include "core/profile/waits.h"
#include "core/report/flame_tree.h"
#include "core/report/plain_text.h"
#include "core/report/sections.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using profile::FunctionWeight;
using profile::kRun;
using profile::Weights;

constexpr size_t kMostFunctions = 20;
constexpr size_t kLongestFunction = 300;  // columns
// What nearly all stacks pass through, such as main, tells nothing of where the time goes.
constexpr double kNearlyAll = 0.99;

std::string shown_name(const std::string& name) { return cut(one_line(name), kLongestFunction); }

json top_functions(std::vector<FunctionWeight> functions, Weights FunctionWeight::*by) {
  std::stable_sort(functions.begin(), functions.end(),
                   [&](const FunctionWeight& a, const FunctionWeight& b) {
                     return (a.*by)[kRun] > (b.*by)[kRun];
                   });
  json out = json::array();
  for (const FunctionWeight& function : functions) {
    if (out.size() >= kMostFunctions || (function.*by)[kRun] <= 0) break;
    out.push_back({{"name", shown_name(function.name)},
                   {"self", six_digits(function.self[kRun])},
                   {"total", six_digits(function.total[kRun])}});
  }
  return out;
}

// Without those that nearly everything passes through, unless there are no others.
std::vector<FunctionWeight> telling_totals(const std::vector<FunctionWeight>& functions,
                                           double whole) {
  std::vector<FunctionWeight> out;
  for (const FunctionWeight& function : functions)
    if (function.total[kRun] < kNearlyAll * whole) out.push_back(function);
  return out.empty() ? functions : out;
}

json waits_json(const profile::Profile& profile) {
  json out = json::array();
  std::array<size_t, 2> shown = {0, 0};  // for requests and for work, each with its own bound
  for (const profile::Wait& wait : profile::waits_of(profile.tree))
    if (shown[wait.idle ? 1 : 0]++ < kMostFunctions)
      out.push_back({{"function", shown_name(wait.function)},
                     {"caller", shown_name(wait.caller)},
                     {"weight", six_digits(wait.weight)},
                     {"idle", wait.idle}});
  return out;
}

json profile_json(const profile::Profile& profile, std::optional<double> requests) {
  const profile::KernelTime kernel_time = profile::kernel_time_of(profile.name);
  const bool waits = kernel_time == profile::KernelTime::kIsItsCallers;
  const std::vector<FunctionWeight> functions = profile::functions_of(profile.tree, kernel_time);
  json per_request;
  if (requests && *requests > 0) per_request = six_digits(profile.total / *requests);
  return {
      {"name", profile.name},
      {"plugin", profile.plugin},
      {"unit", profile.unit},
      {"help", profile.help},
      {"layer", layer_name(profile.layer)},
      {"total", six_digits(profile.total)},
      {"per_request", std::move(per_request)},
      {"by_self", top_functions(functions, &FunctionWeight::self)},
      {"by_total", top_functions(telling_totals(functions, profile.total), &FunctionWeight::total)},
      {"by_own",
       waits ? json::array()
             : top_functions(profile::own_functions_of(profile.tree), &FunctionWeight::self)},
      {"waits", waits ? waits_json(profile) : json::array()},
      {"tree", flame_tree_json(profile::prune(profile.tree, {}), false)}};
}

}  // namespace

json profiles_json(const store::RunData& run, const facts::FactSet& facts, json& notes) {
  json out = json::array();
  const auto window = facts::steady_window(run);
  const auto profiles = profile::load_profiles(run, window);
  if (!profiles.is_ok()) {
    notes.push_back("The stack profiles are left out: " + profiles.status().message() + ".");
    return out;
  }
  const auto requests = window ? facts.value("requests.count") : std::nullopt;
  for (const profile::Profile& profile : *profiles) out.push_back(profile_json(profile, requests));
  return out;
}

}  // namespace plumb::report
