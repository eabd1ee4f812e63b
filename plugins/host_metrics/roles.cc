#include "plugins/host_metrics/roles.h"

#include <algorithm>

namespace plumb::host_metrics {

using proc::Pid;

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kTarget:
      return "target";
    case Role::kPlumb:
      return "plumb";
    case Role::kDatabase:
      return "database";
    case Role::kOther:
      break;
  }
  return "other";
}

Role Roles::of(Pid pid) const {
  const auto in = [pid](const std::vector<Pid>& pids) {
    return std::binary_search(pids.begin(), pids.end(), pid);
  };
  if (in(target)) return Role::kTarget;
  if (in(plumb)) return Role::kPlumb;
  return in(database) ? Role::kDatabase : Role::kOther;
}

bool is_database(std::string_view comm) {
  for (const char* name : {"postgres", "postmaster", "mysqld", "mariadbd", "mongod", "redis-server",
                           "valkey-server", "clickhouse-serv"}) {
    if (comm == name) return true;
  }
  return false;
}

bool is_plumb(std::string_view comm) {
  return comm == "plumb" || comm == "plumbd" || comm == "plumb-host";
}

Roles assign_roles(const proc::ProcessList& list, std::span<const Pid> target, Pid self) {
  Roles out;
  out.target.assign(target.begin(), target.end());
  const auto is_target = [&](Pid pid) {
    return std::binary_search(out.target.begin(), out.target.end(), pid);
  };

  std::vector<Pid> roots{self};
  if (const proc::Stat* own = list.find(self)) {
    const proc::Stat* parent = list.find(own->ppid);
    if (parent != nullptr && is_plumb(parent->comm)) roots.push_back(parent->pid);
  }
  out.plumb = list.with_descendants(roots);
  for (const auto& [pid, stat] : list.all()) {
    if (is_plumb(stat.comm)) out.plumb.push_back(pid);
    if (is_database(stat.comm) && !is_target(pid)) out.database.push_back(pid);
  }
  std::sort(out.plumb.begin(), out.plumb.end());
  out.plumb.erase(std::unique(out.plumb.begin(), out.plumb.end()), out.plumb.end());
  std::erase_if(out.plumb, is_target);
  std::sort(out.database.begin(), out.database.end());
  std::erase_if(out.database, [&](Pid pid) {
    return std::binary_search(out.plumb.begin(), out.plumb.end(), pid);
  });
  return out;
}

}  // namespace plumb::host_metrics
