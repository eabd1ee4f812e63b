// plumb-host: the process that one plugin lives in.
//
//   plumb-host --fd N --plugin x.so                 serves the engine on socket N
//   plumb-host --describe x.so --output x.plugin.json   writes the plugin's manifest
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/atomic_file.h"
#include "core/base/unique_fd.h"
#include "core/host/library.h"
#include "core/host/session.h"

namespace plumb::host {
namespace {

constexpr int kUsage = 2;

int usage() {
  std::fputs(
      "usage: plumb-host --describe PLUGIN.so --output PLUGIN.plugin.json\n"
      "       plumb-host --fd N --plugin PLUGIN.so\n"
      "\n"
      "The first form writes what a plugin says of itself to a file; builds call it.\n"
      "The second runs the plugin for the engine at the other end of socket N; plumb calls it.\n",
      stderr);
  return kUsage;
}

int describe(const std::string& plugin, const std::string& output) {
  const Result<Library> library = Library::open(plugin);
  const Status status = library.is_ok()
                            ? write_file_atomically(output, manifest_json(library->manifest()))
                            : library.status();
  if (status.is_ok()) return 0;
  std::fprintf(stderr, "plumb-host: %s\n", status.message().c_str());
  return 1;
}

// Ends the process. Destructors of the plugin's static objects do not run: the plugin has been
// destroyed, and what it may have left behind (a thread, a library's exit handler) could only spoil
// an orderly end. The leak checker needs the ordinary way out.
[[noreturn]] void leave(int code) {
#if defined(__SANITIZE_ADDRESS__)
  std::exit(code);
#else
  std::_Exit(code);
#endif
}

int serve(int fd, const std::string& plugin) {
  // The engine asks for this before it starts us; once more for whoever else does.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  UniqueFd socket(fd);
  const Result<Library> library = Library::open(plugin);
  if (!library.is_ok()) {
    Session::refuse(socket.get(), library.status());
    return 1;
  }
  Session session(std::move(socket), *library);
  leave(session.run());
}

int main_of(int argc, char** argv) {
  std::map<std::string_view, std::string> given;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return usage();
    given[argv[i]] = argv[i + 1];
  }
  if (given.size() != 2) return usage();
  if (given.contains("--describe") && given.contains("--output")) {
    return describe(given["--describe"], given["--output"]);
  }
  if (!given.contains("--fd") || !given.contains("--plugin")) return usage();
  const std::string& number = given["--fd"];
  int fd = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fd);
  if (error != std::errc() || *end != '\0' || fd < 0) return usage();
  return serve(fd, given["--plugin"]);
}

}  // namespace
}  // namespace plumb::host

int main(int argc, char** argv) { return plumb::host::main_of(argc, argv); }
