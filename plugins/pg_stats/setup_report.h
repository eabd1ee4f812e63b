// How the server is set up: the tables pg_settings and pg_missing.
#ifndef PLUMB_PLUGINS_PG_STATS_SETUP_REPORT_H_
#define PLUMB_PLUGINS_PG_STATS_SETUP_REPORT_H_

#include <optional>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

#include "plugins/pg_stats/missing_abilities.h"
#include "plugins/pg_stats/session.h"

namespace plumb::pg_stats {

// Not thread-safe.
class SetupReport {
 public:
  explicit SetupReport(Host host) : host_(host) {}
  Status read_settings(Session& session);
  // The table pg_settings: what was read, judged against the database's size when that is known,
  // and one line on the sampling itself.
  Status emit_settings(const std::optional<double>& database_bytes,
                       const std::string& sampling) const;
  // The table pg_missing; an empty one says that nothing is.
  Status emit_missing(const std::vector<MissingAbility>& missing) const;

 private:
  struct Setting {
    std::string name;
    std::string value;
    std::string unit;
    bool is_default = false;
  };
  Host host_;
  std::vector<Setting> settings_;
};

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SETUP_REPORT_H_
