#include "core/cli/profile_report.h"

#include <algorithm>

#include "core/base/json_text.h"
#include "core/profile/difference.h"
#include "core/profile/export.h"
#include "core/profile/folded_text.h"
#include "core/report/difference.h"
#include "core/store/run_file.h"

namespace plumb::cli {
namespace {

bool is_one_of(const std::string& word, const std::vector<std::string>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

const std::vector<std::string>& profile_formats() {
  static const std::vector<std::string> formats = {"folded", "speedscope"};
  return formats;
}

Status check_profile_flags(const ProfileFlags& flags, const std::string& format) {
  if (!flags.diff.empty()) {
    if (is_one_of(format, {"console", "json", "html", "folded"})) return Status::ok();
    return Status::invalid_argument("--diff gives console, json, html or folded, and no " + format);
  }
  const bool asks = !flags.profile.empty() || flags.whole;
  if (!asks || is_one_of(format, profile_formats())) return Status::ok();
  return Status::invalid_argument(
      "--profile and --whole go with --format folded, with --format speedscope and with --diff");
}

Result<std::string> export_profile(const std::filesystem::path& run, const ProfileFlags& flags,
                                   const std::string& format) {
  PLUMB_ASSIGN_OR_RETURN(const store::RunData data, store::read_run_header(run));
  return profile::export_profiles(
      data,
      format == "folded" ? profile::ExportFormat::kFolded : profile::ExportFormat::kSpeedscope,
      flags.profile, flags.whole);
}

Result<std::string> compare_profile(const std::filesystem::path& run,
                                    const std::filesystem::path& base, const ProfileFlags& flags,
                                    const std::string& format, const Terminal& terminal) {
  PLUMB_ASSIGN_OR_RETURN(const store::RunData ours, store::read_run(run));
  PLUMB_ASSIGN_OR_RETURN(const store::RunData theirs, store::read_run(base));
  PLUMB_ASSIGN_OR_RETURN(const profile::Difference difference,
                         profile::compare_profiles(ours, theirs, flags.profile, flags.whole));
  if (format == "folded") return profile::folded_text(difference);
  const nlohmann::json document = report::difference_json(difference);
  if (format == "json") return json_text(document, 2) + "\n";
  if (format == "html") return report::difference_to_html(document);
  report::ConsoleOptions options;
  options.color = terminal.color_out;
  options.width = terminal.width;
  return report::difference_to_console(document, options);
}

}  // namespace plumb::cli
