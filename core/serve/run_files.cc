#include "core/serve/run_files.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "core/session/run_directory.h"
#include "core/session/run_id.h"

namespace plumb::serve {
namespace {

// A run file is written once per second.
constexpr std::chrono::seconds kWriterSilence{30};

// The run file last: while it is there the run is, and can be deleted again.
constexpr std::array<std::string_view, 7> kSuffixes = {
    ".html",      ".comparison.html", ".target.log", ".plumb-wal",
    ".plumb-shm", ".plumb-journal",   ".plumb"};

bool written_lately(const std::filesystem::path& file) {
  const auto now = std::filesystem::file_time_type::clock::now();
  return std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) {
    if (suffix.rfind(".plumb", 0) != 0) return false;
    std::error_code error;
    const auto time = std::filesystem::last_write_time(
        std::filesystem::path(file).replace_extension(suffix), error);
    return !error && now - time < kWriterSilence;
  });
}

}  // namespace

std::vector<std::string> RunFiles::ids() const {
  std::vector<std::string> ids;
  for (const std::filesystem::path& file : session::list_runs(directory_)) {
    std::string id = file.stem().string();
    if (session::is_run_id(id)) ids.push_back(std::move(id));
  }
  return ids;
}

Result<std::filesystem::path> RunFiles::file_of(std::string_view id) const {
  if (!session::is_run_id(id)) {
    return Status::not_found("That is no id of a run; ids look like 20261120T104512Z-7f3a.");
  }
  const std::filesystem::path file = directory_ / (std::string(id) + ".plumb");
  std::error_code error;
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(file, error))) {
    return Status::not_found("There is no run " + std::string(id) +
                             " here. GET /api/v1/runs lists those that are.");
  }
  return file;
}

Result<RunRecord> RunFiles::record(std::string_view id) const {
  PLUMB_ASSIGN_OR_RETURN(const std::filesystem::path file, file_of(id));
  RunRecord record;
  PLUMB_ASSIGN_OR_RETURN(record.run, store::read_run_header(file));
  if (record.run.state != store::RunState::kRunning) return record;
  record.being_written = written_lately(file);
  if (!record.being_written) record.run.state = store::RunState::kInterrupted;
  return record;
}

Status RunFiles::remove(std::string_view id) const {
  PLUMB_ASSIGN_OR_RETURN(const std::filesystem::path file, file_of(id));
  for (const std::string_view suffix : kSuffixes) {
    const auto path = std::filesystem::path(file).replace_extension(suffix);
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error)
      return Status::unavailable("Cannot delete " + path.string() + ": " + error.message());
  }
  return Status::ok();
}

}  // namespace plumb::serve
