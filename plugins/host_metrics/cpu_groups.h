// Who takes processors from whom: the processor time of each group of processes beside the time
// that the target's threads waited for one, second by second. Not thread-safe.
//
// A second's waiting is shared out among those who used the processors in it, in proportion, the
// target itself included (its threads also wait for each other). What its own quota held back, and
// what another machine took from this one (steal), are told apart.
#ifndef PLUMB_PLUGINS_HOST_METRICS_CPU_GROUPS_H_
#define PLUMB_PLUGINS_HOST_METRICS_CPU_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/host_metrics/outlet.h"

namespace plumb::host_metrics {

class CpuGroups {
 public:
  // What one second brought. Names of groups may repeat from second to second, not within one.
  struct Used {
    std::string_view group;
    double seconds;
  };
  struct Second {
    double length = 0;  // seconds
    double cpus = 0;
    std::span<const Used> used;  // of every group but those below
    double target = 0;           // processor seconds of the target
    double unseen = 0;           // of processes that came and went before they were read
    double stolen = 0;
    std::optional<double> waited;  // the target's run-queue delay; absent: not known
    double throttled = 0;          // processor seconds for which the target's quota held it back
    double runnable_threads = 0;   // of the target
  };
  void add(const Second& second);

  // Totals of each group that has a label, and how they met the target's waiting.
  void emit(int64_t now_ns, Outlet& outlet) const;

  // The table counts from here.
  void begin_table();
  // plumb_table.json: the ten groups that used most, and the target.
  std::string table_json() const;

  // Of the waiting in one second, what the quota explains.
  static double held_back(const Second& second);

 private:
  struct Group {
    double used = 0;      // processor seconds since the watch began
    double weighted = 0;  // sum of processors used x seconds waited
    double beside = 0;    // its share of the target's waiting, seconds
    bool labelled = false;
    // What was told of it as part of "other", before it got its label.
    double used_before = 0, weighted_before = 0, beside_before = 0;
    double table_used = 0, table_weighted = 0, table_beside = 0;  // when the table began
  };
  void label();
  void add_to(std::string_view name, double used, const Second& second, double waited, double all);

  std::map<std::string, Group, std::less<>> groups_;
  double waited_ = 0;  // by contention, what the quota explains left out
  double held_back_ = 0;
  double table_waited_ = 0, table_held_back_ = 0, table_seconds_ = 0;
  double seconds_ = 0;
  double cpus_ = 0;
  size_t labels_ = 0;
  bool known_ = false;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_CPU_GROUPS_H_
