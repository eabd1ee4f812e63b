// Processor time of everybody but the target, by group, read where it is spent: a process that ran
// lately is looked at every time, an idle one ever more rarely, and all of them when the machine
// used more than those looked at did. Not thread-safe.
//
// A group is one of plumb, load (generators of load, plumb's own among them), database, kernel, a
// service or container by its cgroup, or a command's name.
#ifndef PLUMB_PLUGINS_HOST_METRICS_PROCESS_SURVEY_H_
#define PLUMB_PLUGINS_HOST_METRICS_PROCESS_SURVEY_H_

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/host_metrics/monotonic.h"
#include "plugins/host_metrics/roles.h"
#include "plugins/proc/file.h"
#include "plugins/proc/processes.h"

namespace plumb::host_metrics {

class ProcessSurvey {
 public:
  explicit ProcessSurvey(proc::Root root);

  // What came since the update before, and is to be accounted for.
  struct Machine {
    uint64_t busy_ticks = 0;        // of the whole machine, in user and system mode
    uint64_t target_ticks = 0;      // of that, the target's
    uint64_t born_since_ticks = 0;  // since boot: a process not older was born under watch; 0: none
  };
  // Reads who is due and hands what it read to `list`.
  void update(proc::ProcessList& list, const Roles& roles, const Machine& machine);

  // Ticks each group used since the update before; index as in names().
  const std::vector<uint64_t>& growth() const { return growth_; }
  const std::vector<std::string>& names() const { return names_; }
  // Ticks since the first update, whatever the group is called.
  uint64_t plumb_ticks() const { return plumb_ticks_; }
  uint64_t database_ticks() const { return database_ticks_; }
  uint64_t reads() const { return reads_; }  // of a process, since the beginning

 private:
  struct Process {
    proc::KeptFile stat;
    uint64_t start_ticks = 0;
    proc::Pid parent = 0;
    uint64_t ticks = 0;
    uint64_t reaped = 0;
    ReapedBalance children;
    Role role = Role::kOther;
    int group = -1;  // none until it uses processor time
    int idle = 0;    // looks in a row that found it had done nothing
    uint64_t due = 0;
    uint64_t updated = 0;  // the update in which it was last looked at
    bool seen = false;
  };
  void read(proc::ProcessList& list, proc::Pid pid, Process& p, const Machine& machine);
  // Which processes there are and whose, when that changed.
  void take_over(const proc::ProcessList& list, const Roles& roles);
  void take(const proc::Stat& stat, Process& p, const Machine& machine);
  void forget_ended();
  // Counts what children used that came and went unseen.
  void settle(const proc::ProcessList& list, const Machine& machine);
  Process* living_ancestor(const Process& p);
  void count(Process& p, const proc::Stat& stat, uint64_t ticks);
  int group_of(const proc::Stat& stat, Role role);
  int named(const std::string& name);

  proc::Root root_;
  proc::Buffer buffer_;
  proc::DescriptorAllowance kept_;
  std::unordered_map<proc::Pid, Process> processes_;
  std::unordered_map<std::string, int> index_;
  std::vector<std::string> names_;
  std::vector<uint64_t> growth_;
  std::vector<proc::Pid> parents_, owing_;  // whose children's account is not settled
  std::vector<proc::Pid> due_;
  uint64_t generation_ = UINT64_MAX;  // of the list, when it was taken over last
  Roles roles_;
  uint64_t updates_ = 0;
  uint64_t accounted_ = 0;  // in this update
  uint64_t next_sweep_ = 0;
  uint64_t sweep_pause_ = 4;
  uint64_t plumb_ticks_ = 0;
  uint64_t database_ticks_ = 0;
  uint64_t reads_ = 0;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_PROCESS_SURVEY_H_
