// Taking apart what the kernel answers over netlink. Takes any bytes: what is cut short, or says
// that it is longer than it is, gives nothing.
#ifndef PLUMB_PLUGINS_PROC_NETLINK_H_
#define PLUMB_PLUGINS_PROC_NETLINK_H_

#include <linux/netlink.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace plumb::proc {

// Netlink pads every message and every attribute to 4 bytes.
constexpr size_t netlink_padded(size_t bytes) { return (bytes + 3) & ~size_t{3}; }

// The structure that `bytes` begin with; what older kernels do not send of it yet is zero.
template <typename T>
T front_or_zeros(std::span<const char> bytes) {
  T out{};
  std::memcpy(&out, bytes.data(), std::min(bytes.size(), sizeof(out)));
  return out;
}

// The same, or nothing when it is not all there.
template <typename T>
std::optional<T> front_of(std::span<const char> bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  return front_or_zeros<T>(bytes);
}

// The value of the first attribute of that type; empty when there is none.
inline std::span<const char> attribute_of(std::span<const char> bytes, uint16_t type) {
  while (const auto a = front_of<nlattr>(bytes)) {
    if (a->nla_len < sizeof(nlattr) || a->nla_len > bytes.size()) return {};
    if ((a->nla_type & NLA_TYPE_MASK) == type) {
      return bytes.first(a->nla_len).subspan(sizeof(nlattr));
    }
    bytes = bytes.subspan(std::min(netlink_padded(a->nla_len), bytes.size()));
  }
  return {};
}

// The errno in the body of an NLMSG_ERROR; 0 when it is an acknowledgement or none.
inline int error_in(std::span<const char> body) {
  const auto error = front_of<int>(body);
  return error && *error < 0 && *error > -4096 ? -*error : 0;
}

}  // namespace plumb::proc

#endif  // PLUMB_PLUGINS_PROC_NETLINK_H_
