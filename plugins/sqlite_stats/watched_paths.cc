#include "watched_paths.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "descriptor.h"
#include "file_format.h"

namespace plumb::sqlite_stats {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

bool exists(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0;
}

bool is_pattern(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos && !exists(path);
}

bool is_database(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return false;
  const Descriptor opened = Descriptor::open(path);
  std::array<uint8_t, kDatabaseHeaderBytes> bytes{};
  if (!opened.valid()) return false;
  const ssize_t n = ::pread(opened.get(), bytes.data(), bytes.size(), 0);
  return n == static_cast<ssize_t>(bytes.size()) && parse_database_header(bytes).has_value();
}

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> out;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) out.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  std::sort(out.begin(), out.end());
  return out;
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

Status bad(const std::string& what) {
  return Status::invalid_argument("sqlite_stats: option database: " + what);
}

}  // namespace

Result<WatchedPaths> WatchedPaths::parse(std::string_view text) {
  WatchedPaths out;
  const std::string whole(trimmed(text));
  if (whole.empty())
    return bad(
        "it is empty: give the path of the SQLite file to watch, several with commas in "
        "between, or a pattern such as data/*.db");
  if (exists(whole)) {
    out.paths_.push_back(whole);
    return out;
  }
  std::string_view rest = whole;
  while (true) {
    const size_t comma = rest.find(',');
    const std::string path(trimmed(rest.substr(0, comma)));
    if (path.empty()) return bad("a path is missing beside a comma in \"" + whole + "\"");
    std::vector<std::string>& list = is_pattern(path) ? out.patterns_ : out.paths_;
    if (contains(list, path)) return bad(path + " is there twice");
    list.push_back(path);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (out.paths_.size() > kMostDatabases)
    return bad(std::to_string(out.paths_.size()) + " databases, and at most " +
               std::to_string(kMostDatabases) + " can be watched: leave some out");
  return out;
}

const std::vector<std::string>& WatchedPaths::find() {
  left_out_ = 0;
  for (const std::string& pattern : patterns_) {
    for (const std::string& path : matches(pattern)) {
      if (contains(paths_, path) || !is_database(path)) continue;
      if (paths_.size() < kMostDatabases) {
        paths_.push_back(path);
      } else {
        ++left_out_;
      }
    }
  }
  return paths_;
}

}  // namespace plumb::sqlite_stats
