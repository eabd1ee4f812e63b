// When each database is inspected with SQL, and what was found: once at the beginning, as soon as
// nobody has written for a moment, and once more at the end.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECTIONS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECTIONS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <plumb/plugin.hpp>
#include <string>
#include <vector>

#include "database_watch.h"
#include "inspection.h"
#include "inspector.h"

namespace plumb::sqlite_stats {

// Not thread-safe. Life: start, tick*, finish.
class Inspections {
 public:
  using Watches = std::vector<std::unique_ptr<DatabaseWatch>>;

  Inspections(Host host, std::string statements)
      : host_(host), statements_(std::move(statements)) {}

  // Looks for the program.
  void start();
  // Starts one inspection that is due, or takes what one has found. Never blocks.
  Status tick(int64_t now_ns, const Watches& watches);
  // Inspects all that can be inspected now, until `deadline_ns` at the latest.
  Status finish(int64_t deadline_ns, const Watches& watches);
  // Emits sqlite_tables and sqlite_plans, where something was found since they were last emitted.
  Status emit_tables();

  // Why nothing is inspected; empty when all is well.
  const std::string& problem() const { return problem_; }

 private:
  Status begin(DatabaseWatch& watch, int64_t now_ns, int64_t budget_ns);
  Status take(DatabaseWatch& watch, Result<Inspection> found);

  Host host_;
  const std::string statements_;
  std::unique_ptr<Inspector> inspector_;
  std::string problem_;
  DatabaseWatch* current_ = nullptr;
  std::map<std::string, Inspection> found_;    // by name
  std::map<std::string, uint64_t> inspected_;  // by name: the inode that it was then
  bool has_news_ = false;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECTIONS_H_
