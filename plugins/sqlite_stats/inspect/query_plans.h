// How SQLite would run the statements of a file, and what in that is worth a second look. No
// statement is run: each is compiled behind EXPLAIN QUERY PLAN.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECT_QUERY_PLANS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECT_QUERY_PLANS_H_

#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "schema.h"

namespace plumb::sqlite_inspect {

constexpr size_t kMostStatements = 200;

struct StatementPlan {
  size_t number = 0;  // in the file, from 1
  std::string text;   // without literals
  std::vector<std::string> steps;
  std::vector<std::string> findings;
};

// Explains the first kMostStatements. Also notes in `schema` which indexes none of the statements
// explained uses, and how many were not explained.
std::vector<StatementPlan> explain(Connection& connection, Schema& schema, std::string_view text);

}  // namespace plumb::sqlite_inspect

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECT_QUERY_PLANS_H_
