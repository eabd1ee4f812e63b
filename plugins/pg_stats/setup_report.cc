#include "plugins/pg_stats/setup_report.h"

#include <algorithm>
#include <vector>

#include "plugins/pg_stats/catalog_queries.h"
#include "plugins/pg_stats/setting_remarks.h"
#include "plugins/pg_stats/statement_text.h"
#include "plugins/pg_stats/table_json.h"

namespace plumb::pg_stats {

Status SetupReport::read_settings(Session& session) {
  PLUMB_ASSIGN_OR_RETURN(const Rows rows, session.query(settings_query()));
  settings_.clear();
  for (int r = 0; r < rows.count(); ++r)
    settings_.push_back({std::string(rows.text(r, 0)), cut_text(rows.text(r, 1), kLabelCharacters),
                         std::string(rows.text(r, 2)), rows.boolean(r, 3)});
  return Status::ok();
}

Status SetupReport::emit_settings(const std::optional<double>& database_bytes,
                                  const std::string& sampling) const {
  SettingContext context;
  context.database_bytes = database_bytes;
  for (const Setting& s : settings_)
    if (s.name == "shared_buffers")
      context.shared_buffers_bytes = setting_in_base_unit(s.value, s.unit);
  TableJson table("PostgreSQL settings", {{"setting", "Setting"},
                                          {"value", "Value"},
                                          {"unit", "Unit"},
                                          {"default", "Default"},
                                          {"means", "Means"},
                                          {"remark", "Remark"}});
  // Those that somebody set are looked for first.
  std::vector<Setting> ordered = settings_;
  std::stable_partition(ordered.begin(), ordered.end(),
                        [](const Setting& s) { return !s.is_default; });
  for (const Setting& s : ordered)
    table.add({s.name, s.value, s.unit, s.is_default ? "yes" : "no", setting_text(s.value, s.unit),
               remark_on_setting(s.name, s.value, s.unit, context)});
  // No remark: there is nothing to mend.
  table.add({"plumb: sampling", sampling, "", "",
             sampling + ": how often plumb looks at the sessions, within its budget", ""});
  return host_.table("pg_settings", table.text());
}

Status SetupReport::emit_missing(const std::vector<MissingAbility>& missing) const {
  TableJson table("What cannot be seen as the server is set up",
                  {{"ability", "Not seen"}, {"why", "Since"}, {"how", "How to switch it on"}});
  for (const MissingAbility& m : missing) table.add({m.ability, m.why, m.how});
  return host_.table("pg_missing", table.text());
}

}  // namespace plumb::pg_stats
