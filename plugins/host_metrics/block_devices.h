// Which block devices are disks, as sysfs tells. Not thread-safe.
#ifndef PLUMB_PLUGINS_HOST_METRICS_BLOCK_DEVICES_H_
#define PLUMB_PLUGINS_HOST_METRICS_BLOCK_DEVICES_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "plugins/proc/root.h"

namespace plumb::host_metrics {

class BlockDevices {
 public:
  explicit BlockDevices(proc::Root root) : root_(std::move(root)) {}

  // Whether the device, by its name in /proc/diskstats, is a disk of its own: no partition, not
  // stacked on devices that are told themselves (dm, md), nothing in memory or on a loop. Asks once
  // for each name.
  bool is_disk(std::string_view name);

 private:
  bool ask(std::string_view name) const;

  proc::Root root_;
  std::map<std::string, bool, std::less<>> known_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_BLOCK_DEVICES_H_
