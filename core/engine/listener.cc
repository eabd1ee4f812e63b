#include "core/engine/listener.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

namespace plumb::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListenState = "0A";

// The inodes of the sockets that listen on `port`, out of a /proc/net/tcp or tcp6.
void add_inodes(const fs::path& table, int port, std::set<std::string>& inodes) {
  char wanted[8];
  std::snprintf(wanted, sizeof(wanted), ":%04X", static_cast<unsigned>(port) & 0xFFFF);
  std::ifstream in(table);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    if (fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
            timeout >> inode &&
        state == kListenState && local.ends_with(wanted)) {
      inodes.insert(inode);
    }
  }
}

bool holds_one_of(const fs::path& process, const std::set<std::string>& inodes) {
  std::error_code error;
  for (fs::directory_iterator it(process / "fd", error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    const std::string link = fs::read_symlink(it->path(), gone).string();
    constexpr std::string_view kPrefix = "socket:[";
    if (gone || !link.starts_with(kPrefix)) continue;
    if (inodes.contains(link.substr(kPrefix.size(), link.size() - kPrefix.size() - 1))) return true;
  }
  return false;
}

}  // namespace

std::optional<Listener> find_listener(int port, const fs::path& proc) {
  std::set<std::string> inodes;
  add_inodes(proc / "net" / "tcp", port, inodes);
  add_inodes(proc / "net" / "tcp6", port, inodes);
  if (inodes.empty()) return std::nullopt;
  std::error_code error;
  for (fs::directory_iterator it(proc, error), end; !error && it != end; it.increment(error)) {
    const int pid = std::atoi(it->path().filename().c_str());
    if (pid <= 0 || !holds_one_of(it->path(), inodes)) continue;
    Listener out;
    out.pid = pid;
    std::ifstream command(it->path() / "comm");
    std::getline(command, out.command);
    return out;
  }
  return std::nullopt;
}

}  // namespace plumb::engine
