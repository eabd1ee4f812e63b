// What `plumb report` gives of stack profiles alone: exports for other tools, and the comparison
// with another run.
#ifndef PLUMB_CORE_CLI_PROFILE_REPORT_H_
#define PLUMB_CORE_CLI_PROFILE_REPORT_H_

#include <filesystem>
#include <plumb/status.hpp>
#include <string>
#include <vector>

#include "core/cli/terminal.h"

namespace plumb::cli {

struct ProfileFlags {
  std::string profile;
  bool whole = false;
  std::string diff;  // names the base; empty: no comparison
};

// folded, speedscope.
const std::vector<std::string>& profile_formats();

// Whether the flags go with the format; INVALID_ARGUMENT says what does not.
Status check_profile_flags(const ProfileFlags& flags, const std::string& format);

// In a format of profile_formats().
Result<std::string> export_profile(const std::filesystem::path& run, const ProfileFlags& flags,
                                   const std::string& format);
// As console, json, html or folded.
Result<std::string> compare_profile(const std::filesystem::path& run,
                                    const std::filesystem::path& base, const ProfileFlags& flags,
                                    const std::string& format, const Terminal& terminal);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_PROFILE_REPORT_H_
