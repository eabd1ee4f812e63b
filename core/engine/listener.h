// Who listens on a TCP port of this machine, from /proc.
#ifndef PLUMB_CORE_ENGINE_LISTENER_H_
#define PLUMB_CORE_ENGINE_LISTENER_H_

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace plumb::engine {

struct Listener {
  pid_t pid = 0;
  std::string command;  // its short name
};

// A process that listens on `port`; nothing when there is none or it cannot be seen (another user's
// process). `proc` is /proc but in tests.
std::optional<Listener> find_listener(int port, const std::filesystem::path& proc);

}  // namespace plumb::engine

#endif  // PLUMB_CORE_ENGINE_LISTENER_H_
