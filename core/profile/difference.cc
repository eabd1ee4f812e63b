#include "core/profile/difference.h"

#include <algorithm>
#include <utility>

namespace plumb::profile {
namespace {

struct ProfiledRun {
  Profile profile;
  ComparedRun run;
};

// What was said last: the end of a run that has no stages.
double whole_seconds(const store::RunData& run) {
  int64_t end = run.ended_ns;
  for (const StageSpan& stage : run.stages) end = std::max(end, stage.end_ns);
  return static_cast<double>(end - run.header.started_ns) / 1e9;
}

Result<ProfiledRun> side_of(const store::RunData& run, std::string_view name, bool whole_run) {
  const auto window = whole_run ? std::nullopt : facts::steady_window(run);
  auto profiles = load_profiles(run, window);
  if (!profiles.is_ok()) return profiles.status();
  auto chosen = choose_profile(std::move(profiles).value(), name);
  if (!chosen.is_ok()) return chosen.status().with_context("run " + run.header.id);
  ProfiledRun out{std::move(chosen).value(), {run.header.id, run.header.name, 0, {}, {}}};
  out.run.total = out.profile.total;
  const double seconds = window ? window->seconds() : whole_seconds(run);
  if (seconds > 0) out.run.seconds = seconds;
  if (window) {
    const auto requests = facts::compute(run).value("requests.count");
    if (requests && *requests > 0) out.run.requests = requests;
  }
  return out;
}

Basis basis_of(const std::array<ComparedRun, 2>& runs) {
  const auto both = [&](auto member) {
    return (runs[kRun].*member).has_value() && (runs[kBase].*member).has_value();
  };
  if (both(&ComparedRun::requests)) return Basis::kRequest;
  return both(&ComparedRun::seconds) ? Basis::kSecond : Basis::kShare;
}

double scale_of(const ComparedRun& run, Basis basis) {
  const double divisor = basis == Basis::kRequest  ? *run.requests
                         : basis == Basis::kSecond ? *run.seconds
                                                   : run.total;
  return divisor > 0 ? 1 / divisor : 1;
}

}  // namespace

std::string_view basis_name(Basis basis) {
  switch (basis) {
    case Basis::kRequest:
      return "request";
    case Basis::kSecond:
      return "second";
    case Basis::kShare:
      return "share";
  }
  return "";
}

double Difference::change(const Weights& weights) const {
  return whole > 0 ? (scaled(weights, kRun) - scaled(weights, kBase)) / whole : 0;
}

Result<Difference> compare_profiles(const store::RunData& run, const store::RunData& base,
                                    std::string_view name, bool whole_run) {
  PLUMB_ASSIGN_OR_RETURN(ProfiledRun ours, side_of(run, name, whole_run));
  PLUMB_ASSIGN_OR_RETURN(ProfiledRun theirs,
                         side_of(base, name.empty() ? ours.profile.name : name, whole_run));
  if (ours.profile.unit != theirs.profile.unit) {
    return Status::invalid_argument("profile " + ours.profile.name + " is in " + ours.profile.unit +
                                    " in run " + ours.run.id + " and in " + theirs.profile.unit +
                                    " in run " + theirs.run.id);
  }
  Difference out{ours.profile.name,
                 ours.profile.unit,
                 ours.profile.help,
                 Basis::kShare,
                 {ours.run, theirs.run},
                 {},
                 {1, 1},
                 0};
  out.tree.merge(ours.profile.tree, kRun);
  out.tree.merge(theirs.profile.tree, kBase);
  out.basis = basis_of(out.runs);
  for (const Side side : {kRun, kBase}) {
    out.scale[side] = scale_of(out.runs[side], out.basis);
    out.whole = std::max(out.whole, out.runs[side].total * out.scale[side]);
  }
  return out;
}

}  // namespace plumb::profile
