// Any bytes as an answer of sock_diag or taskstats: no crash, nothing beyond the datagram, and no
// more sockets than messages that could hold one.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "plugins/proc/sock_diag_reply.h"
#include "plugins/proc/taskstats.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plumb::proc;
  // Of its own size, so that a read beyond it is seen.
  std::vector<char> datagram(size);
  if (size > 0) std::memcpy(datagram.data(), data, size);
  // What was asked is what the first message claims to answer: most inputs would be passed over.
  uint32_t sequence = 0;
  constexpr size_t kSequenceAt = 8;
  if (size >= kSequenceAt + sizeof(sequence)) {
    std::memcpy(&sequence, datagram.data() + kSequenceAt, sizeof(sequence));
  }
  std::vector<TcpSocket> sockets;
  const SockDiagReply reply = parse_sock_diag(datagram, sequence, false, sockets);
  constexpr size_t kLeastMessage = 16 + 72;
  if (sockets.size() > reply.answers || sockets.size() * kLeastMessage > size) __builtin_trap();
  for (const TcpSocket& s : sockets) (void)peer_label(s);
  (void)parse_taskstats(datagram);
  (void)parse_family(datagram);
  return 0;
}
