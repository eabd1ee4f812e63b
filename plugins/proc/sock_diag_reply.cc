#include "plugins/proc/sock_diag_reply.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>

#include <algorithm>
#include <cstring>

#include "plugins/proc/netlink.h"

namespace plumb::proc {

namespace {

TcpInfo to_info(std::span<const char> bytes) {
  // Older kernels send a shorter structure: what is missing stays zero.
  const auto raw = front_or_zeros<tcp_info>(bytes);
  TcpInfo out;
  out.last_data_sent_ms = raw.tcpi_last_data_sent;
  out.last_data_received_ms = raw.tcpi_last_data_recv;
  out.last_ack_received_ms = raw.tcpi_last_ack_recv;
  out.unacked = raw.tcpi_unacked;
  out.segments_out = raw.tcpi_segs_out;
  out.segments_in = raw.tcpi_segs_in;
  out.data_segments_out = raw.tcpi_data_segs_out;
  out.data_segments_in = raw.tcpi_data_segs_in;
  out.bytes_sent = raw.tcpi_bytes_sent;
  out.bytes_received = raw.tcpi_bytes_received;
  return out;
}

TcpSocket to_socket(std::span<const char> body) {
  const auto m = front_or_zeros<inet_diag_msg>(body);
  TcpSocket out;
  out.family = m.idiag_family;
  out.state = m.idiag_state;
  out.local_port = ntohs(m.id.idiag_sport);
  out.peer_port = ntohs(m.id.idiag_dport);
  std::memcpy(out.peer.data(), m.id.idiag_dst, out.peer.size());
  out.inode = m.idiag_inode;
  out.receive_queue = m.idiag_rqueue;
  out.send_queue = m.idiag_wqueue;
  std::memcpy(out.identity.data(), &m.id, sizeof(m.id));
  const std::span<const char> info = attribute_of(body.subspan(sizeof(m)), INET_DIAG_INFO);
  out.has_info = !info.empty();
  if (out.has_info) out.info = to_info(info);
  return out;
}

}  // namespace

SockDiagReply parse_sock_diag(std::span<const char> datagram, uint32_t sequence, bool with_info,
                              std::vector<TcpSocket>& out) {
  SockDiagReply reply;
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto header = front_or_zeros<nlmsghdr>(datagram);
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > datagram.size()) break;
    const auto body = datagram.first(header.nlmsg_len).subspan(sizeof(nlmsghdr));
    datagram = datagram.subspan(std::min(netlink_padded(header.nlmsg_len), datagram.size()));
    if (header.nlmsg_seq != sequence) continue;  // left over from a request that timed out
    ++reply.answers;
    if (header.nlmsg_type == NLMSG_DONE) {
      reply.done = true;
    } else if (header.nlmsg_type == NLMSG_ERROR) {
      if (const int error = error_in(body); error != 0) reply.error = error;
    } else if (body.size() >= sizeof(inet_diag_msg)) {
      TcpSocket socket = to_socket(body);
      if (socket.has_info || !with_info) out.push_back(socket);
    }
  }
  return reply;
}

}  // namespace plumb::proc
