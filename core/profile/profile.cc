#include "core/profile/profile.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace plumb::profile {
namespace {

constexpr std::string_view kUsual = "on_cpu";
// A run file is not trusted: no more than this many trees are built from one.
constexpr size_t kMostProfiles = 64;

// The share of the batch that lies in the window.
double share_inside(const StackBatch& batch, const std::optional<facts::Window>& window) {
  if (!window) return 1;
  if (batch.end_ns <= batch.start_ns)
    return batch.start_ns >= window->start_ns && batch.start_ns < window->end_ns ? 1 : 0;
  const int64_t from = std::max(batch.start_ns, window->start_ns);
  const int64_t to = std::min(batch.end_ns, window->end_ns);
  if (to <= from) return 0;
  return static_cast<double>(to - from) /
         (static_cast<double>(batch.end_ns) - static_cast<double>(batch.start_ns));
}

std::string names_of(const std::vector<Profile>& profiles) {
  std::string out;
  for (const Profile& profile : profiles)
    out += (out.empty() ? "" : ", ") + profile.name + " (of " + profile.plugin + ")";
  return out;
}

}  // namespace

Result<std::vector<Profile>> load_profiles(const store::RunData& run,
                                           const std::optional<facts::Window>& window) {
  std::vector<Profile> out;
  if (!run.stacks) return out;
  // Weights of different units do not add up.
  std::map<std::tuple<std::string, bool, std::string, std::string>, Profile> profiles;
  PLUMB_RETURN_IF_ERROR(run.stacks([&](const StackBatch& batch) {
    const auto key = std::tuple(batch.plugin, batch.profile != kUsual, batch.profile, batch.unit);
    auto found = profiles.find(key);
    if (found == profiles.end()) {
      if (profiles.size() >= kMostProfiles) return Status::ok();
      Profile profile{batch.plugin, batch.profile, batch.unit, batch.help, batch.layer, {}, 0};
      found = profiles.emplace(key, std::move(profile)).first;
    }
    Profile& profile = found->second;
    const double share = share_inside(batch, window);
    if (share <= 0) return Status::ok();
    for (const FoldedStack& stack : batch.stacks)
      profile.tree.add(stack.frames, stack.weight * share);
    return Status::ok();
  }));
  for (auto& [key, profile] : profiles) {
    profile.total = profile.tree.totals()[CallTree::kRoot][kRun];
    out.push_back(std::move(profile));
  }
  return out;
}

Result<Profile> choose_profile(std::vector<Profile> profiles, std::string_view name) {
  if (profiles.empty()) {
    return Status::not_found(
        "the run has no stack profile: add a plugin that makes one, such as stack_profile, to its "
        "plan");
  }
  if (name.empty() && profiles.size() == 1) return std::move(profiles.front());
  const std::string_view wanted = name.empty() ? kUsual : name;
  std::vector<Profile*> found;
  for (Profile& profile : profiles)
    if (profile.name == wanted || profile.full_name() == wanted) found.push_back(&profile);
  if (found.size() == 1) return std::move(*found.front());
  if (found.empty()) {
    return Status::not_found("the run has no profile " + std::string(wanted) +
                             ". It has: " + names_of(profiles));
  }
  return Status::not_found("several plugins made a profile " + std::string(wanted) +
                           ": name one as " + found.front()->full_name());
}

}  // namespace plumb::profile
