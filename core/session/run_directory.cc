#include "core/session/run_directory.h"

#include <algorithm>
#include <system_error>

#include "core/base/nearest.h"

namespace plumb::session {

std::vector<std::filesystem::path> list_runs(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> out;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error))
    if (at->path().extension() == ".plumb") out.push_back(at->path());
  // Ids begin with their time.
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.filename() > b.filename(); });
  return out;
}

Result<std::filesystem::path> find_run(const std::filesystem::path& directory,
                                       std::string_view name) {
  std::error_code error;
  const std::filesystem::path as_path(name);
  if (std::filesystem::is_regular_file(as_path, error)) return as_path;
  if (name.find('/') != std::string_view::npos || as_path.extension() == ".plumb")
    return Status::not_found("there is no file " + std::string(name));
  const auto runs = list_runs(directory);
  if (runs.empty())
    return Status::not_found("there are no runs in " + directory.string() +
                             "; another directory is named with --run-dir");
  if (name == "last") return runs.front();
  std::vector<std::filesystem::path> found;
  std::vector<std::string> ids;
  for (const auto& run : runs) {
    const std::string id = run.stem().string();
    if (id == name) return run;
    if (!name.empty() && id.ends_with(name)) found.push_back(run);
    ids.push_back(id.substr(id.rfind('-') + 1));
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    return Status::invalid_argument("more than one run ends in " + std::string(name) + ": " +
                                    found[0].stem().string() + ", " + found[1].stem().string() +
                                    "; give more of its id");
  return Status::not_found("there is no run " + std::string(name) + " in " + directory.string() +
                           "." + did_you_mean(name, ids) + " plumb runs lists them.");
}

}  // namespace plumb::session
