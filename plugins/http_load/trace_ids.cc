#include "plugins/http_load/trace_ids.h"

#include <cstring>

namespace plumb::http_load {
namespace {

char* put_hex(char* at, uint64_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) *at++ = kDigits[(value >> shift) & 15];
  return at;
}

}  // namespace

void TraceIds::next(Header& out) {
  constexpr char kStart[] = "traceparent: 00-";
  char* at = out.data();
  std::memcpy(at, kStart, sizeof(kStart) - 1);
  at = put_hex(at + sizeof(kStart) - 1, random_.next());
  at = put_hex(at, random_.next() | 1);
  *at++ = '-';
  at = put_hex(at, random_.next() | 1);
  std::memcpy(at, "-01", 4);
}

}  // namespace plumb::http_load
