// What only a walk over /proc can tell of the processes that use a database.
#ifndef PLUMB_PLUGINS_SQLITE_STATS_OPENERS_H_
#define PLUMB_PLUGINS_SQLITE_STATS_OPENERS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "plugins/proc/file.h"
#include "plugins/proc/root.h"

namespace plumb::sqlite_stats {

// The processes that have files open, found by looking at the descriptors of all: for
// rollback-journal databases, whose waiters hold no lock at all. One walk serves all files asked
// for. Not thread-safe.
class OpenerWalk {
 public:
  using Now = std::function<int64_t()>;  // nanoseconds, for what a walk costs

  OpenerWalk(proc::Root root, Now now) : root_(std::move(root)), now_(std::move(now)) {}

  // Says that the file's openers may be asked for soon: then the next walk looks for them too. A
  // file is forgotten ten seconds after it was last wanted.
  void want(int64_t now_ns, dev_t device, uint64_t inode);
  // Ascending, this process left out. Processes that came in the last ten seconds are looked at
  // about once a second, all of them every ten; less often where that takes more than a 1000th of a
  // core (a walk costs about a microsecond per open descriptor on the machine).
  const std::vector<proc::Pid>& find(int64_t now_ns, dev_t device, uint64_t inode);
  // True when the last full walk met processes whose descriptors this user may not see.
  bool was_denied() const { return denied_; }

 private:
  struct File {
    std::vector<proc::Pid> openers;
    int64_t wanted_ns = 0;
  };
  using Key = std::pair<dev_t, uint64_t>;
  void walk(int64_t now_ns, bool all);
  void look_at(proc::Pid pid);

  const proc::Root root_;
  const Now now_;
  std::map<Key, File> files_;
  std::map<proc::Pid, int64_t> first_seen_ns_;
  bool denied_ = false;
  int64_t next_walk_ns_ = 0;
  int64_t next_full_walk_ns_ = 0;
};

// The name of a process ("shop"); "?" when it is gone, "outside" for pid 0, which stands for a
// process that plumb's PID namespace does not show.
std::string command_of(const proc::Root& root, proc::Pid pid, proc::Buffer& buffer);

// True when the process has glibc mapped; false also when that cannot be read, or for static
// programs.
bool maps_glibc(const proc::Root& root, proc::Pid pid, proc::Buffer& buffer);

}  // namespace plumb::sqlite_stats

#endif  // PLUMB_PLUGINS_SQLITE_STATS_OPENERS_H_
