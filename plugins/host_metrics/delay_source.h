// Where delay accounting comes from: the kernel's taskstats, or a test.
#ifndef PLUMB_PLUGINS_HOST_METRICS_DELAY_SOURCE_H_
#define PLUMB_PLUGINS_HOST_METRICS_DELAY_SOURCE_H_

#include <memory>
#include <optional>

#include "plugins/proc/taskstats.h"

namespace plumb::host_metrics {

class DelaySource {
 public:
  virtual ~DelaySource() = default;
  // Errors as proc::Taskstats.
  virtual Result<proc::Delays> of_process(proc::Pid pid) = 0;
};

// The kernel's, opened at the first call.
class KernelDelays final : public DelaySource {
 public:
  Result<proc::Delays> of_process(proc::Pid pid) override {
    if (!taskstats_) {
      PLUMB_ASSIGN_OR_RETURN(taskstats_, proc::Taskstats::open());
    }
    return taskstats_->of_process(pid);
  }

 private:
  std::optional<proc::Taskstats> taskstats_;
};

}  // namespace plumb::host_metrics

#endif  // PLUMB_PLUGINS_HOST_METRICS_DELAY_SOURCE_H_
