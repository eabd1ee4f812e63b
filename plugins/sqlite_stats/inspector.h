// Runs plumb-sqlite-inspect: SQL needs an SQLite connection, and that must live in another process
// than the raw inspection of the same files.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_INSPECTOR_H_
#define PLUMB_PLUGINS_SQLITE_STATS_INSPECTOR_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <plumb/status.hpp>
#include <string>

#include "descriptor.h"
#include "inspection.h"

namespace plumb::sqlite_stats {

// The program: beside this process's executable (plumb-host), or in bin/ or libexec/plumb/ of the
// tree whose lib/plumb/plugins/ holds this plugin. NOT_FOUND says where it was looked for.
Result<std::string> find_inspector();

// At most one at a time. Not thread-safe. A process still running when this ends is killed.
class Inspector {
 public:
  // `statements` is the path of a file with SQL to explain, or empty.
  Inspector(std::string program, std::string statements)
      : program_(std::move(program)), statements_(std::move(statements)) {}
  ~Inspector() { kill(); }
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;

  bool is_running() const { return pid_ > 0; }
  // Starts it on `database` with so much time; it is killed a little after that.
  Status start(const std::string& database, int64_t now_ns, int64_t budget_ns);
  // What it found, once it has ended; never blocks. The failure says how it ended.
  std::optional<Result<Inspection>> poll(int64_t now_ns);
  // Waits for at most `wait_ns` of real time for output or the end; for the run's end.
  void wait(int64_t wait_ns) const;
  void kill();

 private:
  Result<Inspection> ended(int status);

  const std::string program_;
  const std::string statements_;
  pid_t pid_ = -1;
  Descriptor output_;
  std::string text_;
  int64_t deadline_ns_ = 0;
};

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_INSPECTOR_H_
