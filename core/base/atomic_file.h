// Files that appear whole or not at all.
#ifndef PLUMB_CORE_BASE_ATOMIC_FILE_H_
#define PLUMB_CORE_BASE_ATOMIC_FILE_H_

#include <filesystem>
#include <plumb/status.hpp>
#include <string_view>

namespace plumb {

// Writes `text` to a new file beside `path` and renames it over `path`, so that a reader sees the
// old content or the new one. The directory must exist. On failure nothing is left behind. A
// symbolic link stays one: what it names is replaced. What is no regular file (a device, a pipe) is
// written to.
Status write_file_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace plumb

#endif  // PLUMB_CORE_BASE_ATOMIC_FILE_H_
