// The processes of a machine, and which of them belong to a target. Not thread-safe.
#ifndef PLUMB_PLUGINS_PROC_PROCESSES_H_
#define PLUMB_PLUGINS_PROC_PROCESSES_H_

#include <plumb/status.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plugins/proc/file.h"
#include "plugins/proc/root.h"
#include "plugins/proc/stat.h"

namespace plumb::proc {

// Which processes are the target. Exactly one field is set, or none (nothing is watched).
struct Selector {
  std::optional<int> port;  // they listen on this TCP port
  std::optional<Pid> pid;
  std::string name;    // their comm, or the file name of their argv[0]
  std::string cgroup;  // path below the cgroup root; cgroups inside it count too
  bool empty() const { return !port && !pid && name.empty() && cgroup.empty(); }
  // "the process that listens on port 8080": for messages.
  std::string describe() const;
};

// The selector of a plugin's configuration document (plumb_config.document). Without a
// `target.process`, a target on this machine's loopback is selected by its port. INVALID_ARGUMENT
// when the document is not what plumb writes.
Result<Selector> selector_from_document(std::string_view document);

// Pids (numeric entries) under <proc>, ascending; empty when <proc> cannot be read.
std::vector<Pid> list_pids(const Root& root);
// Thread ids of a process, ascending; empty when it is gone or they cannot be read.
std::vector<Pid> list_tasks(const Root& root, Pid pid);

// Nothing when the process is gone or the file is torn.
std::optional<Stat> read_stat(const Root& root, Pid pid, Buffer& buffer);
std::optional<SchedStat> read_task_schedstat(const Root& root, Pid pid, Pid tid, Buffer& buffer);
// Arguments joined by spaces, control bytes replaced, cut to `limit` bytes; empty for a kernel
// thread or a process that is gone. May hold secrets: never put it into signals.
std::string read_cmdline(const Root& root, Pid pid, Buffer& buffer, size_t limit = 256);

// All processes: one directory read per refresh, and a stat read only for those that are new, and
// once more at the refresh after (they may have been between fork and exec).
class ProcessList {
 public:
  explicit ProcessList(Root root) : root_(std::move(root)) {}

  // `full` reads every stat again (names after exec, parents after re-parenting, processor time).
  // UNAVAILABLE when <proc> cannot be listed.
  Status refresh(bool full);

  // Takes in a stat that somebody else has read of a process in the list.
  void note(const Stat& stat);
  // Another number whenever a process came, went, or changed its parent or its name.
  uint64_t generation() const { return generation_; }

  // As of the last refresh; each Stat as of the last time it was read.
  const std::unordered_map<Pid, Stat>& all() const { return stats_; }
  const Stat* find(Pid pid) const;
  // `roots` that exist, and all they started, ascending.
  std::vector<Pid> with_descendants(std::span<const Pid> roots) const;
  const Root& root() const { return root_; }

 private:
  void take(const Stat& stat);
  const std::unordered_map<Pid, std::vector<Pid>>& children() const;

  Root root_;
  Buffer buffer_;
  std::unordered_map<Pid, Stat> stats_;
  std::vector<Pid> young_;  // new at the last refresh, ascending
  std::vector<Pid> pids_;   // of the last refresh
  uint64_t generation_ = 0;
  // Made when first asked for in a generation.
  mutable std::unordered_map<Pid, std::vector<Pid>> children_;
  mutable uint64_t children_generation_ = 0;
};

// Processes that were looked into in vain: not worth another look while they stay what they are.
class PassedOver {
 public:
  // False when it is another by the same number, or has another name since.
  bool holds(const Stat& stat) const;
  void add(const Stat& stat);
  void clear() { who_.clear(); }
  // Forgets those that are not in the list any more.
  void keep_only(const ProcessList& list);

 private:
  struct Who {
    uint64_t start_ticks;
    std::string comm;
  };
  std::unordered_map<Pid, Who> who_;
};

// Finds the target again and again: cheaply while its roots live, thoroughly when they do not, and
// when that was in vain, ever more rarely among those it has looked into.
class TargetFinder {
 public:
  TargetFinder(Root root, Selector selector)
      : root_(std::move(root)), selector_(std::move(selector)) {}

  // The target's processes, children included, ascending, from a list refreshed by the caller.
  // NOT_FOUND when none runs now; PERMISSION_DENIED when the port has a listener whose owner this
  // user may not see; UNAVAILABLE when it cannot be told now; the message says what to do.
  Result<std::vector<Pid>> find(const ProcessList& list);

 private:
  Result<std::vector<Pid>> find_roots(const ProcessList& list);
  Result<std::vector<Pid>> listening(const ProcessList& list);
  // Those who hold one of the sockets, which listen on the port.
  Result<std::vector<Pid>> owners_of(const std::vector<uint64_t>& sockets, const ProcessList& list);
  std::vector<Pid> named(const ProcessList& list);
  Root root_;
  Selector selector_;
  Buffer buffer_;
  struct Known {
    Pid pid;
    uint64_t start_ticks;
  };
  std::vector<Known> roots_;       // when selected by port
  std::vector<uint64_t> sockets_;  // that listened on it when the roots were found
  int calls_since_search_ = 0;
  PassedOver passed_over_;
  int calls_since_all_ = 0;        // were looked into, in vain
  int calls_to_all_ = 1;           // between that and the next time
  std::vector<uint64_t> unowned_;  // sockets that nobody was found to hold
  Status unseen_;                  // of somebody's descriptors, since all were looked into
};

// One call, for whoever needs the target only now and then.
Result<std::vector<Pid>> find_target(const Root& root, const Selector& selector);

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_PROCESSES_H_
