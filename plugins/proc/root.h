// Where the kernel's pseudo file systems are mounted. Tests point it at a directory of their own.
#ifndef PLUMB_PLUGINS_PROC_ROOT_H_
#define PLUMB_PLUGINS_PROC_ROOT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace plumb::proc {

using Pid = int32_t;

struct Root {
  std::string proc = "/proc";
  std::string sys = "/sys";

  // "<proc>/<pid>/<leaf>"; leaf may be empty.
  std::string of(Pid pid, std::string_view leaf) const;
  // "<proc>/<pid>/task/<tid>/<leaf>".
  std::string of_task(Pid pid, Pid tid, std::string_view leaf) const;
};

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_ROOT_H_
