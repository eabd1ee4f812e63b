#include "plugins/proc/taskstats.h"

#include <linux/genetlink.h>
#include <linux/taskstats.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "plugins/proc/netlink.h"

namespace plumb::proc {

namespace {

constexpr size_t kAnswerBytes = 8192;
constexpr int kMostStale = 16;  // answers to questions that timed out, before giving up

// What follows the headers of a whole message that is no error; empty otherwise.
std::span<const char> payload_of(std::span<const char> datagram) {
  const auto header = front_of<nlmsghdr>(datagram);
  constexpr size_t kHeaders = sizeof(nlmsghdr) + sizeof(genlmsghdr);
  if (!header || header->nlmsg_len < kHeaders || header->nlmsg_len > datagram.size()) return {};
  if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) return {};
  return datagram.first(header->nlmsg_len).subspan(kHeaders);
}

int error_of(std::span<const char> datagram) {
  const auto header = front_of<nlmsghdr>(datagram);
  if (!header || header->nlmsg_type != NLMSG_ERROR) return 0;
  return error_in(datagram.subspan(sizeof(nlmsghdr)));
}

Status no_taskstats(int error) {
  const std::string why = std::string(" (") + std::strerror(error) + ")";
  if (error == EPERM || error == EACCES) {
    return Status::permission_denied("the kernel keeps delay accounting from this user" + why +
                                     ": run plumb with CAP_NET_ADMIN");
  }
  if (error == ESRCH) return Status::not_found("the process has ended");
  if (error == ENOENT || error == EPROTONOSUPPORT) {
    return Status::unsupported("the kernel has no delay accounting (CONFIG_TASKSTATS)" + why);
  }
  return Status::unavailable("the kernel does not tell delay accounting" + why);
}

}  // namespace

std::optional<uint16_t> parse_family(std::span<const char> datagram) {
  return front_of<uint16_t>(attribute_of(payload_of(datagram), CTRL_ATTR_FAMILY_ID));
}

std::optional<Delays> parse_taskstats(std::span<const char> datagram) {
  const auto both = attribute_of(payload_of(datagram), TASKSTATS_TYPE_AGGR_TGID);
  const auto bytes = attribute_of(both, TASKSTATS_TYPE_STATS);
  // Newer kernels send more at the end, older ones less: these fields came with versions 1 to 9.
  constexpr size_t kNeeded = offsetof(taskstats, thrashing_delay_total) + sizeof(uint64_t);
  if (bytes.size() < kNeeded) return std::nullopt;
  taskstats raw{};
  std::memcpy(&raw, bytes.data(), std::min(bytes.size(), sizeof(raw)));
  return Delays{raw.cpu_delay_total, raw.blkio_delay_total, raw.swapin_delay_total,
                raw.freepages_delay_total, raw.thrashing_delay_total};
}

Taskstats::Taskstats(int descriptor) : descriptor_(descriptor), buffer_(kAnswerBytes) {}

Taskstats::~Taskstats() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Taskstats::Taskstats(Taskstats&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      family_(other.family_),
      sequence_(other.sequence_),
      buffer_(std::move(other.buffer_)) {}

Taskstats& Taskstats::operator=(Taskstats&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(family_, other.family_);
  std::swap(sequence_, other.sequence_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

Result<Taskstats> Taskstats::open() {
  const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  if (descriptor < 0) return no_taskstats(errno);
  Taskstats out(descriptor);
  const timeval timeout{1, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  PLUMB_ASSIGN_OR_RETURN(const auto answer,
                         out.ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
                                 {TASKSTATS_GENL_NAME, sizeof(TASKSTATS_GENL_NAME)}));
  const auto family = parse_family(answer);
  if (!family) return Status::unsupported("the kernel does not say where its delay accounting is");
  out.family_ = *family;
  return out;
}

Result<Delays> Taskstats::of_process(Pid pid) {
  const auto id = static_cast<uint32_t>(pid);
  char value[sizeof(id)];
  std::memcpy(value, &id, sizeof(id));
  PLUMB_ASSIGN_OR_RETURN(const auto answer,
                         ask(family_, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_TGID, value));
  const auto delays = parse_taskstats(answer);
  if (!delays) return Status::unsupported("the kernel's delay accounting is of an unknown form");
  return *delays;
}

Result<std::span<const char>> Taskstats::ask(uint16_t type, uint8_t command, uint16_t attribute,
                                             std::span<const char> value) {
  struct {
    nlmsghdr header;
    genlmsghdr generic;
    nlattr attribute;
    char value[16];
  } request{};
  value = value.first(std::min(value.size(), sizeof(request.value)));
  request.attribute.nla_len = static_cast<uint16_t>(sizeof(nlattr) + value.size());
  request.attribute.nla_type = attribute;
  std::memcpy(request.value, value.data(), value.size());
  request.header.nlmsg_len = static_cast<uint32_t>(sizeof(nlmsghdr) + sizeof(genlmsghdr) +
                                                   netlink_padded(request.attribute.nla_len));
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.header.nlmsg_seq = ++sequence_;
  request.generic.cmd = command;
  request.generic.version = 1;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(descriptor_, &request, request.header.nlmsg_len, 0,
               reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel)) < 0) {
    return no_taskstats(errno);
  }
  for (int stale = 0; stale < kMostStale; ++stale) {
    const ssize_t n = ::recv(descriptor_, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return no_taskstats(errno);
    const std::span<const char> answer(buffer_.data(), static_cast<size_t>(n));
    const auto header = front_of<nlmsghdr>(answer);
    if (!header || header->nlmsg_seq != sequence_) continue;
    if (const int error = error_of(answer); error != 0) return no_taskstats(error);
    return answer;
  }
  return Status::unavailable("the kernel answers other questions than were asked");
}

}  // namespace plumb::proc
