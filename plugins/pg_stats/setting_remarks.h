// Which settings are worth knowing when reading a run, and what is to be said of their values.
#ifndef PLUMB_PLUGINS_PG_STATS_SETTING_REMARKS_H_
#define PLUMB_PLUGINS_PG_STATS_SETTING_REMARKS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plumb::pg_stats {

// Without those that the sampler sets for its own session as it connects: the server's are not to
// be had then.
std::span<const char* const> settings_worth_knowing();

// What a value is judged against.
struct SettingContext {
  std::optional<double> database_bytes;
  std::optional<double> shared_buffers_bytes;
};

// Bytes or seconds of a value in the unit that pg_settings gives ("8kB", "MB", "ms", "min"); none
// for another unit, and for what is no number or means "decided by itself" (-1).
std::optional<double> setting_in_base_unit(std::string_view value, std::string_view unit);

// A short sentence where the value plausibly matters for what a run shows, else "".
std::string remark_on_setting(std::string_view name, std::string_view value, std::string_view unit,
                              const SettingContext& context);

// The value as people write it: "128 MB", "5 min", "on".
std::string setting_text(std::string_view value, std::string_view unit);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_SETTING_REMARKS_H_
