// Decoding what sock_diag answers. Takes any bytes: what is cut short, or says that it is longer
// than it is, is left out.
#ifndef PLUMB_PLUGINS_PROC_SOCK_DIAG_REPLY_H_
#define PLUMB_PLUGINS_PROC_SOCK_DIAG_REPLY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plugins/proc/sock_diag.h"

namespace plumb::proc {

struct SockDiagReply {
  size_t answers = 0;  // messages that belong to the request, errors included
  bool done = false;   // the dump is complete
  int error = 0;       // errno of the last error among them; 0: none
};

// Appends the sockets of one datagram, as received, that answer request `sequence`. With
// `with_info`, those without tcp_info are left out.
SockDiagReply parse_sock_diag(std::span<const char> datagram, uint32_t sequence, bool with_info,
                              std::vector<TcpSocket>& out);

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_SOCK_DIAG_REPLY_H_
