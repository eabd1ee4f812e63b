// The plugin's entry: its option table and its one export.
#include <plumb/plugin.hpp>

#include "plugins/pg_stats/pg_sampler.h"

namespace {

using plumb::pg_stats::PgSampler;

constexpr const char* kLocalChoices[] = {"auto", "yes", "no", nullptr};
constexpr const char* kNeeds[] = {"network", "proc", nullptr};

constexpr plumb_option kOptions[] = {
    plumb::option({.key = "dsn",
                   .required = true,
                   .secret = true,
                   .help = "Connection string of the database to watch: "
                           "postgresql://user:password@host:port/database, or key=value words."}),
    plumb::option({.type = PLUMB_OPTION_DURATION,
                   .key = "statement_timeout",
                   .default_value = "1s",
                   .minimum = "50ms",
                   .maximum = "1s",
                   .help = "How long the server may work on one reading."}),
    plumb::option({.type = PLUMB_OPTION_INTEGER,
                   .key = "top",
                   .unit = "statements",
                   .default_value = "15",
                   .minimum = "1",
                   .maximum = "200",
                   .help = "How many of the statements with most time are shown."}),
    plumb::option({.type = PLUMB_OPTION_NUMBER,
                   .key = "budget",
                   .unit = "of one core",
                   .default_value = "0.003",
                   .minimum = "0.0001",
                   .maximum = "1",
                   .help = "What watching may cost inside PostgreSQL over ten seconds, as a share "
                           "of one processor; past it the sessions are looked at less often, at "
                           "least once a second."}),
    plumb::option({.key = "local",
                   .default_value = "auto",
                   .one_of = kLocalChoices,
                   .help = "Whether the server's processes are this machine's, so that their "
                           "processor time can be read; auto finds out."}),
};

}  // namespace

PLUMB_PLUGIN(PgSampler,
             {.name = "pg_stats",
              .version = "0.1.0",
              .summary = "What a PostgreSQL database does and waits for, by statement and table",
              .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]),
              .default_interval_ns = 100'000'000,
              .needs = kNeeds})
