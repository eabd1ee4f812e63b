#include <algorithm>
#include <cmath>
#include <vector>

#include "core/profile/functions.h"
#include "core/profile/pruned_tree.h"
#include "core/report/difference.h"
#include "core/report/flame_tree.h"
#include "core/report/plain_text.h"
#include "core/report/sections.h"

namespace plumb::report {
namespace {

using nlohmann::json;
using profile::FunctionWeight;
using profile::kBase;
using profile::kRun;

constexpr size_t kMostChanged = 20;
constexpr size_t kLongestChanged = 300;  // columns
constexpr double kLeastChange = 0.0005;  // of the whole: what is less is noise

json compared_run_json(const profile::ComparedRun& run) {
  return {{"id", run.id},
          {"name", run.name},
          {"total", six_digits(run.total)},
          {"requests", or_null(run.requests)},
          {"seconds", or_null(run.seconds)}};
}

json change_json(const profile::Difference& difference, const FunctionWeight& function) {
  return {{"name", cut(one_line(function.name), kLongestChanged)},
          {"base", six_digits(difference.scaled(function.self, kBase))},
          {"run", six_digits(difference.scaled(function.self, kRun))},
          {"change", six_digits(difference.change(function.self))}};
}

}  // namespace

json difference_json(const profile::Difference& difference) {
  std::vector<FunctionWeight> functions =
      profile::functions_of(difference.tree, profile::kernel_time_of(difference.profile));
  std::stable_sort(functions.begin(), functions.end(),
                   [&](const FunctionWeight& a, const FunctionWeight& b) {
                     return difference.change(a.self) > difference.change(b.self);
                   });
  json gained = json::array();
  json lost = json::array();
  for (size_t i = 0; i < functions.size() && gained.size() < kMostChanged; ++i)
    if (difference.change(functions[i].self) >= kLeastChange)
      gained.push_back(change_json(difference, functions[i]));
  for (size_t i = functions.size(); i-- > 0 && lost.size() < kMostChanged;)
    if (difference.change(functions[i].self) <= -kLeastChange)
      lost.push_back(change_json(difference, functions[i]));
  return valid_document(
      {{"difference_version", kDifferenceVersion},
       {"plumb_version", PLUMB_VERSION},
       {"profile", difference.profile},
       {"unit", difference.unit},
       {"help", difference.help},
       {"basis", profile::basis_name(difference.basis)},
       {"run", compared_run_json(difference.runs[kRun])},
       {"base", compared_run_json(difference.runs[kBase])},
       {"scale", {{"run", difference.scale[kRun]}, {"base", difference.scale[kBase]}}},
       {"gained", std::move(gained)},
       {"lost", std::move(lost)},
       {"tree", flame_tree_json(profile::prune(difference.tree, {}, difference.scale), true)}});
}

}  // namespace plumb::report
