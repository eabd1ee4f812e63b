// The plugin's one export.
#include "sqlite_stats.h"

namespace {

constexpr plumb_option kOptions[] = {plumb::option({
    .type = PLUMB_OPTION_PATH,
    .key = "database",
    .required = true,
    .help = "The SQLite database file to watch; it may appear after the run has begun.",
})};
constexpr const char* kNeeds[] = {"proc", nullptr};
constexpr int64_t kInterval = 10'000'000;

}  // namespace

PLUMB_PLUGIN(plumb::sqlite_stats::SqliteStats,
             {.name = "sqlite_stats",
              .version = "0.1.0",
              .summary = "Watches SQLite's write lock, its holders and waiters, from outside",
              .options = kOptions,
              .option_count = 1,
              .default_interval_ns = kInterval,
              .needs = kNeeds})
