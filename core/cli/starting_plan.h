// The plan that `plumb init` writes: small, commented, and valid as it stands.
#ifndef PLUMB_CORE_CLI_STARTING_PLAN_H_
#define PLUMB_CORE_CLI_STARTING_PLAN_H_

#include <string>

namespace plumb::cli {

enum class Database { kNone, kPostgres, kSqlite };

struct StartingPlan {
  std::string name = {};                      // empty: after the file
  std::string url = "http://127.0.0.1:8080";  // normalised
  std::string host = "127.0.0.1";             // of the url
  int process_port = 0;                       // 0: none is watched
  Database database = Database::kNone;
  std::string dsn_variable = "DATABASE_URL";  // PostgreSQL: where its address is taken from
  std::string database_file = "app.db";       // SQLite
  std::string rate = "50/s";
};

std::string starting_plan_text(const StartingPlan& plan);

}  // namespace plumb::cli

#endif  // PLUMB_CORE_CLI_STARTING_PLAN_H_
