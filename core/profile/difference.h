// Two profiles compared: what weighs more or less in a run than in another, its base.
#ifndef PLUMB_CORE_PROFILE_DIFFERENCE_H_
#define PLUMB_CORE_PROFILE_DIFFERENCE_H_

#include <array>
#include <optional>
#include <plumb/status.hpp>
#include <string>
#include <string_view>

#include "core/profile/profile.h"

namespace plumb::profile {

// Weights of two runs compare when each is divided by what its run did.
enum class Basis {
  kRequest,  // by the requests that completed in the window
  kSecond,   // by the length of the window, where either run counted no requests
  kShare,    // by the profile's own total, where a length is not known
};
std::string_view basis_name(Basis basis);  // request, second, share

struct ComparedRun {
  std::string id;
  std::string name;  // of the plan
  double total = 0;  // of the profile
  std::optional<double> requests;
  std::optional<double> seconds;
};

struct Difference {
  std::string profile;
  std::string unit;
  std::string help;
  Basis basis = Basis::kShare;
  std::array<ComparedRun, 2> runs;  // by Side
  CallTree tree;                    // weights as they were measured
  Weights scale = {1, 1};           // makes them weights per request, per second, or shares
  // The larger of the two scaled totals: what changes are told as shares of. 0 when both are empty.
  double whole = 0;

  double scaled(const Weights& weights, Side side) const { return weights[side] * scale[side]; }
  // The change as a share of `whole`: above zero where the run weighs more than its base.
  double change(const Weights& weights) const;
};

// Over the judged windows, or over the whole of both runs. NOT_FOUND when either has no such
// profile, INVALID_ARGUMENT when their units differ. `name` as choose_profile takes it.
Result<Difference> compare_profiles(const store::RunData& run, const store::RunData& base,
                                    std::string_view name, bool whole_run);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_DIFFERENCE_H_
