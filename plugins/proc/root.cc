#include "plugins/proc/root.h"

namespace plumb::proc {

std::string Root::of(Pid pid, std::string_view leaf) const {
  std::string path = proc + "/" + std::to_string(pid);
  if (!leaf.empty()) path.append("/").append(leaf);
  return path;
}

std::string Root::of_task(Pid pid, Pid tid, std::string_view leaf) const {
  std::string path = of(pid, "task") + "/" + std::to_string(tid);
  if (!leaf.empty()) path.append("/").append(leaf);
  return path;
}

}  // namespace plumb::proc
