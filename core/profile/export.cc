#include "core/profile/export.h"

#include <utility>
#include <vector>

#include "core/profile/folded_text.h"
#include "core/profile/profile.h"
#include "core/profile/speedscope.h"

namespace plumb::profile {

Result<std::string> export_profiles(const store::RunData& run, ExportFormat format,
                                    std::string_view name, bool whole_run) {
  const auto window = whole_run ? std::nullopt : facts::steady_window(run);
  PLUMB_ASSIGN_OR_RETURN(std::vector<Profile> profiles, load_profiles(run, window));
  const bool all = format == ExportFormat::kSpeedscope && name.empty() && !profiles.empty();
  if (!all) {
    PLUMB_ASSIGN_OR_RETURN(Profile chosen, choose_profile(std::move(profiles), name));
    if (format == ExportFormat::kFolded) return folded_text(chosen);
    profiles.clear();
    profiles.push_back(std::move(chosen));
  }
  return speedscope_text(profiles, run.header.name + " " + run.header.id);
}

}  // namespace plumb::profile
