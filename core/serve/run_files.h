// The run files of a directory, by id. An id is checked for its form before it becomes part of a
// path, so nothing outside of the directory can be named.
#ifndef PLUMB_CORE_SERVE_RUN_FILES_H_
#define PLUMB_CORE_SERVE_RUN_FILES_H_

#include <chrono>
#include <filesystem>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/run_file.h"

namespace plumb::serve {

// The header, state, stages and documents of a run.
struct RunRecord {
  store::RunData run;
  // Its file says that it goes on, and was written to a moment ago: by another process, unless it
  // is the run of this one.
  bool being_written = false;
};

// Reads the directory anew on each call. Safe to use from several threads.
class RunFiles {
 public:
  explicit RunFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Newest first.
  std::vector<std::string> ids() const;
  // NOT_FOUND when it is not there, or `id` is no id.
  Result<std::filesystem::path> file_of(std::string_view id) const;
  // A run whose writer died is told as interrupted.
  Result<RunRecord> record(std::string_view id) const;
  // The run file and what was written beside it.
  Status remove(std::string_view id) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace plumb::serve

#endif  // PLUMB_CORE_SERVE_RUN_FILES_H_
