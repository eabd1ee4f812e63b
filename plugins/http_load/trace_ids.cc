#include "plugins/http_load/trace_ids.h"

#include <cstring>

namespace plumb::http_load {
namespace {

constexpr std::array<std::array<char, 2>, 256> kHexOfByte = [] {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = {kDigits[i >> 4], kDigits[i & 15]};
  return out;
}();

char* put_hex(char* at, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8, at += 2)
    std::memcpy(at, kHexOfByte[(value >> shift) & 255].data(), 2);
  return at;
}

uint64_t hash_of(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

}  // namespace

TraceIds::TraceIds(uint64_t seed, std::string_view run_id) : random_(seed ^ hash_of(run_id)) {}

void TraceIds::next(char* out) {
  std::memcpy(out, "00-", 3);
  out = put_hex(out + 3, random_.next());
  out = put_hex(out, random_.next() | 1);
  *out++ = '-';
  out = put_hex(out, random_.next() | 1);
  std::memcpy(out, "-01", 3);
}

void TraceIds::next(Header& out) {
  constexpr char kName[] = "traceparent: ";
  std::memcpy(out.data(), kName, sizeof(kName) - 1);
  next(out.data() + sizeof(kName) - 1);
  out.back() = '\0';
}

}  // namespace plumb::http_load
