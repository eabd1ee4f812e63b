// Which databases the option `database` names: one file, several, or a pattern.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_WATCHED_PATHS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_WATCHED_PATHS_H_

#include <plumb/status.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::sqlite_stats {

// Not thread-safe.
class WatchedPaths {
 public:
  static constexpr size_t kMostDatabases = 16;

  // "shop.db"; "a.db, b.db"; "data/*.db", as a shell takes patterns; mixtures. A file that has
  // exactly that name is taken before the text is looked at for commas and patterns.
  // INVALID_ARGUMENT when it names nothing, one file twice, or more than kMostDatabases.
  static Result<WatchedPaths> parse(std::string_view text);

  // The databases to watch now: those named outright, whether or not they exist, then the files
  // that the patterns match and that begin as an SQLite database does. What was once found stays.
  const std::vector<std::string>& find();

  bool has_patterns() const { return !patterns_.empty(); }
  const std::vector<std::string>& patterns() const { return patterns_; }
  // Databases that the patterns match beyond kMostDatabases, as of the last find().
  size_t left_out() const { return left_out_; }

 private:
  std::vector<std::string> patterns_;
  std::vector<std::string> paths_;
  size_t left_out_ = 0;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_WATCHED_PATHS_H_
