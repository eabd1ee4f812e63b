// The plugin's one export.
#include "sqlite_stats.h"

namespace {

constexpr plumb_option kOptions[] = {
    plumb::option({
        .type = PLUMB_OPTION_PATH,
        .key = "database",
        .required = true,
        .help = "The SQLite database file to watch; several with commas in between, or a pattern "
                "such as data/*.db, 16 at most. They may appear after the run has begun.",
    }),
    plumb::option({
        .type = PLUMB_OPTION_BOOLEAN,
        .key = "inspect",
        .default_value = "true",
        .help = "Read schema, sizes and query plans with a separate read-only process, at the "
                "beginning and the end of the run.",
    }),
    plumb::option({
        .type = PLUMB_OPTION_PATH,
        .key = "statements",
        .help = "A file of SQL statements, each ended by ';', whose query plans are looked at; "
                "none is run.",
    }),
};
constexpr const char* kNeeds[] = {"proc", "subprocess", nullptr};
constexpr int64_t kInterval = 10'000'000;

}  // namespace

PLUMB_PLUGIN(
    plumb::sqlite_stats::SqliteStats,
    {.name = "sqlite_stats",
     .version = "0.2.0",
     .summary = "Watches SQLite databases from outside: locks, waiters, checkpoints, plans",
     .options = kOptions,
     .option_count = 3,
     .default_interval_ns = kInterval,
     .needs = kNeeds})
