// Reading structs of the boundary that the other side may know a shorter or longer form of.
#ifndef PLUMB_CORE_HOST_ABI_STRUCT_H_
#define PLUMB_CORE_HOST_ABI_STRUCT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace plumb::host {

// A struct that claims more bytes than this is no struct.
constexpr uint32_t kMostStruct = 65'536;

inline std::string text_of(const char* text) { return text == nullptr ? "" : text; }

// Copies as much of a struct as both sides know; the rest is zero. `from` has struct_size bytes.
template <typename T>
void copy_known(const void* from, uint32_t struct_size, T& to) {
  to = T{};
  std::memcpy(&to, from, std::min<size_t>(struct_size, sizeof(T)));
}

}  // namespace plumb::host

#endif  // PLUMB_CORE_HOST_ABI_STRUCT_H_
