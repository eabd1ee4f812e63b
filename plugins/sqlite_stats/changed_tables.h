// Tables that are said again and again, and mostly say the same.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_CHANGED_TABLES_H_
#define PLUMB_PLUGINS_SQLITE_STATS_CHANGED_TABLES_H_

#include <map>
#include <nlohmann/json.hpp>
#include <plumb/plugin.hpp>
#include <string>

namespace plumb::sqlite_stats {

// Not thread-safe.
class ChangedTables {
 public:
  explicit ChangedTables(Host host) : host_(host) {}

  // Emits the table, unless the last one of that name that the host took was the same.
  Status emit(const std::string& name, const nlohmann::json& table);

 private:
  const Host host_;
  std::map<std::string, std::string> said_;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_CHANGED_TABLES_H_
