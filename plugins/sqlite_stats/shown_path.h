// A path as it is shown in labels, tables and messages, which are UTF-8.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_SHOWN_PATH_H_
#define PLUMB_PLUGINS_SQLITE_STATS_SHOWN_PATH_H_

#include <string>
#include <string_view>

namespace plumb::sqlite_stats {

// The path itself where it is text. A path is any bytes: those that are not part of UTF-8, and
// control characters, are written as \xNN. Of one longer than a label may be, the end is shown.
std::string shown_path(std::string_view path);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_SHOWN_PATH_H_
