#include "options.h"

#include <CLI/CLI.hpp>
#include <string_view>

namespace shop {
namespace {

constexpr char kExamples[] = R"(Examples:
  shop                                          SQLite in ./shop.db, port 8080
  shop --port 0 --db /tmp/shop.db               any free port
  SHOP_DB=postgresql://me@localhost/test shop   PostgreSQL, in its own schema "shop"
  shop --db test.db --write-hold-ms 5           with one mistake built in
  curl -s 'http://127.0.0.1:8080/orders?customer=7')";

// Milliseconds as the user types them.
struct Milliseconds {
  std::int64_t hold = 5;
  std::int64_t slow_report = 0;
  std::int64_t write_hold = 0;
  std::int64_t cpu = 0;
  std::int64_t downstream = 0;
  std::int64_t lock = 0;
  std::int64_t accept = 0;
};

void add_faults(CLI::App& app, Options& options, Milliseconds& ms) {
  const std::string group = "Faults (one real mistake each; use one at a time)";
  const auto range = CLI::Range(std::int64_t{1}, std::int64_t{60'000}).description("");
  Faults& faults = options.faults;

  app.add_flag("--missing-index", faults.missing_index,
               "Nobody indexed orders by customer: /orders reads the whole table")
      ->group(group);
  app.add_flag("--n-plus-one", faults.n_plus_one,
               "/orders asks for each order's items and each item's product with a\n"
               "query of its own: 51 queries where one does")
      ->group(group);
  auto* hot_row = app.add_flag("--hot-row", faults.hot_row,
                               "Every /checkout updates the same product first, then works on\n"
                               "with its row locked, then commits (PostgreSQL)");
  hot_row->group(group);
  app.add_option("--hold-ms", ms.hold, "How long --hot-row works on before the commit")
      ->check(range)
      ->type_name("MS")
      ->capture_default_str()
      ->needs(hot_row)
      ->group(group);
  app.add_option("--slow-report-ms", ms.slow_report,
                 "/report's query waits this long in the server; with --pool 2 the\n"
                 "pool is too small for it (PostgreSQL)")
      ->check(range)
      ->type_name("MS")
      ->group(group);
  app.add_option("--write-hold-ms", ms.write_hold,
                 "/checkout holds SQLite's only write lock this long while it works\n"
                 "on something else, so that writers queue (SQLite)")
      ->check(range)
      ->type_name("MS")
      ->group(group);
  app.add_option("--cpu-ms", ms.cpu, "Every request but /health burns this much CPU on hashing")
      ->check(range)
      ->type_name("MS")
      ->group(group);
  app.add_option("--downstream-ms", ms.downstream,
                 "/checkout and /products/{id} wait for a payments service (a second\n"
                 "process, started here) that takes this long to answer")
      ->check(range)
      ->type_name("MS")
      ->group(group);
  app.add_option("--lock-ms", ms.lock,
                 "Every request but /health holds one mutex of the whole process for\n"
                 "this long while it waits for something else")
      ->check(range)
      ->type_name("MS")
      ->group(group);
  app.add_option("--audit", faults.audit,
                 "Every request but /health appends a line to this file and waits\n"
                 "until it is on the disk")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--audit-lines", faults.audit_lines,
                 "So many lines for each request, each on the disk before the next (1)")
      ->check(CLI::Range(1, 1000).description(""))
      ->type_name("N")
      ->group(group);
  app.add_option("--payload-kb", faults.payload_kb,
                 "/products sends this much more than anybody asked for")
      ->check(CLI::Range(std::size_t{1}, std::size_t{65'536}).description(""))
      ->type_name("KB")
      ->group(group);
  app.add_flag("--close", faults.close, "Closes the connection after each answer")->group(group);
  app.add_option("--accept-ms", ms.accept,
                 "Takes this long to accept a connection, with room for four that wait")
      ->check(range)
      ->type_name("MS")
      ->group(group);
}

// What no single option can tell: which faults exist on which database.
void check_combination(const Options& options) {
  const bool postgres = is_postgres(options.db);
  if (options.faults.hot_row && !postgres) {
    throw CLI::ValidationError("--hot-row", "needs PostgreSQL; on SQLite use --write-hold-ms");
  }
  if (options.faults.slow_report.count() > 0 && !postgres) {
    throw CLI::ValidationError("--slow-report-ms", "needs PostgreSQL");
  }
  if (options.faults.write_hold.count() > 0 && postgres) {
    throw CLI::ValidationError("--write-hold-ms", "needs SQLite; on PostgreSQL use --hot-row");
  }
}

std::optional<Options> parse_payments_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  std::int64_t delay_ms = 0;
  CLI::App app{"The payments service.", "shop payments"};
  app.add_option("--port", options.port);
  app.add_option("--delay-ms", delay_ms);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
    return std::nullopt;
  }
  options.payments_delay = std::chrono::milliseconds(delay_ms);
  return options;
}

}  // namespace

bool is_postgres(const std::string& db) {
  return db.starts_with("postgresql://") || db.starts_with("postgres://");
}

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  if (argc > 1 && std::string_view(argv[1]) == "payments") {
    return parse_payments_options(argc - 1, argv + 1, exit_code);
  }
  Options options;
  Milliseconds ms;
  std::size_t pool = 16;
  std::int64_t seed_orders = 0;

  CLI::App app{"A small web shop over SQLite or PostgreSQL, on 127.0.0.1 only.", "shop"};
  app.footer(kExamples);
  app.get_formatter()->column_width(26);
  app.add_option("--port", options.port, "Port to listen on; 0 picks a free one")
      ->capture_default_str();
  app.add_option("--db", options.db, "SQLite file, or a postgresql:// address")
      ->envname("SHOP_DB")
      ->capture_default_str();
  auto* pool_option =
      app.add_option("--pool", pool,
                     "Most database connections [16 on PostgreSQL, one per request on\n"
                     "SQLite]; requests wait for a free one in order of arrival")
          ->check(CLI::Range(1, 512).description(""))
          ->type_name("N");
  auto* seed_option =
      app.add_option("--seed-orders", seed_orders,
                     "Orders to begin with [20000 on SQLite, 200000 on PostgreSQL];\n"
                     "kept when they are there already, else made anew")
          ->check(CLI::Range(100, 5'000'000).description(""))
          ->type_name("N");
  add_faults(app, options, ms);

  try {
    app.parse(argc, argv);
    options.faults.hold = std::chrono::milliseconds(ms.hold);
    options.faults.slow_report = std::chrono::milliseconds(ms.slow_report);
    options.faults.write_hold = std::chrono::milliseconds(ms.write_hold);
    options.faults.cpu = std::chrono::milliseconds(ms.cpu);
    options.faults.downstream = std::chrono::milliseconds(ms.downstream);
    options.faults.lock = std::chrono::milliseconds(ms.lock);
    options.faults.accept = std::chrono::milliseconds(ms.accept);
    if (pool_option->count() > 0) options.pool = pool;
    if (seed_option->count() > 0) options.seed_orders = seed_orders;
    check_combination(options);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
    return std::nullopt;
  }
  return options;
}

}  // namespace shop
