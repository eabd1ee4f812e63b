#include <algorithm>

#include "plugins/proc/fields.h"
#include "plugins/proc/file.h"
#include "plugins/proc/sock_diag.h"
#include "plugins/proc/sockets.h"

namespace plumb::proc {

namespace {

// One line of /proc/net/tcp: "  0: 0100007F:1F90 00000000:0000 0A tx:rx tr:when retr uid to inode".
void parse_table(std::string_view text, std::vector<Listener>& out) {
  next_line(text);
  while (!text.empty()) {
    bool ended = false;
    std::string_view line = next_line(text, &ended);
    if (!ended) return;
    next_word(line);
    const std::string_view local = next_word(line);
    next_word(line);
    if (next_word(line) != "0A") continue;
    for (int skipped = 0; skipped < 5; ++skipped) next_word(line);
    const auto inode = next_number(line);
    const size_t colon = local.rfind(':');
    if (!inode || colon == std::string_view::npos) continue;
    const std::string_view hex = local.substr(colon + 1);
    uint16_t port = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), port, 16);
    if (error != std::errc() || end != hex.data() + hex.size()) continue;
    out.push_back({port, *inode});
  }
}

}  // namespace

Result<std::vector<Listener>> list_listeners(const Root& root) {
  std::vector<Listener> out;
  if (root.proc == "/proc") {
    std::vector<TcpSocket> sockets;
    auto diag = SockDiag::open();
    if (diag && diag->dump(SockDiag::kListening, false, {}, sockets)) {
      for (const TcpSocket& s : sockets) out.push_back({s.local_port, s.inode});
      return out;
    }
  }
  Buffer buffer(64 * 1024);
  bool any = false;
  for (const char* leaf : {"/net/tcp", "/net/tcp6"}) {
    const Text text = buffer.read((root.proc + leaf).c_str());
    if (!text.ok()) continue;
    any = true;
    parse_table(text.text, out);
  }
  if (!any) {
    return Status::unavailable("neither sock_diag nor " + root.proc +
                               "/net/tcp can be read: the target cannot be found by its port; "
                               "name it by pid, name or cgroup under target.process");
  }
  return out;
}

}  // namespace plumb::proc
