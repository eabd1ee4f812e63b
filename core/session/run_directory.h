// The runs kept in a directory, and how a user names one of them.
#ifndef PLUMB_CORE_SESSION_RUN_DIRECTORY_H_
#define PLUMB_CORE_SESSION_RUN_DIRECTORY_H_

#include <filesystem>
#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::session {

// The run files of a directory, newest first. A directory that is not there holds none.
std::vector<std::filesystem::path> list_runs(const std::filesystem::path& directory);

// The file of a run named by its path, its id, the end of its id such as 7f3a, or `last`.
// NOT_FOUND says where was looked and what is there.
Result<std::filesystem::path> find_run(const std::filesystem::path& directory,
                                       std::string_view name);

}  // namespace plumb::session

#endif  // PLUMB_CORE_SESSION_RUN_DIRECTORY_H_
