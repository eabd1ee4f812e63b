// A run's profiles in the forms that other tools read.
#ifndef PLUMB_CORE_PROFILE_EXPORT_H_
#define PLUMB_CORE_PROFILE_EXPORT_H_

#include <plumb/status.hpp>
#include <string>
#include <string_view>

#include "core/store/run_file.h"

namespace plumb::profile {

enum class ExportFormat { kFolded, kSpeedscope };

// Over the judged window (the whole run where there is none), or over the whole run. Folded text
// has one profile, named as choose_profile takes it; a speedscope file has that one, or all when
// `name` is empty. NOT_FOUND when there is no such profile.
Result<std::string> export_profiles(const store::RunData& run, ExportFormat format,
                                    std::string_view name, bool whole_run);

}  // namespace plumb::profile

#endif  // PLUMB_CORE_PROFILE_EXPORT_H_
