// Little-endian numbers in byte strings.
#ifndef PLUMB_CORE_HOST_WIRE_H_
#define PLUMB_CORE_HOST_WIRE_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace plumb::host {

static_assert(std::endian::native == std::endian::little, "the wire format is the native one");

template <typename T>
void put(std::string& out, T value) {
  static_assert(std::is_arithmetic_v<T>);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

// Takes a number off the front of `in`; false, and nothing is taken, when it is too short.
template <typename T>
[[nodiscard]] bool take(std::string_view& in, T& value) {
  static_assert(std::is_arithmetic_v<T>);
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_WIRE_H_
