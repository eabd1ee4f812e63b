// SplitMix64: a small seeded generator whose sequence is the same on every machine, which the
// standard's distributions do not promise. Not for secrets.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_RANDOM_H_
#define PLUMB_PLUGINS_HTTP_LOAD_RANDOM_H_

#include <cstdint>

namespace plumb::http_load {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

// Evenly from `from` to `to`, both included.
inline int64_t random_between(int64_t from, int64_t to, Random& random) {
  const uint64_t span = static_cast<uint64_t>(to) - static_cast<uint64_t>(from) + 1;
  const uint64_t bits = random.next();
  __extension__ using Wide = unsigned __int128;
  const uint64_t offset =
      span == 0 ? bits : static_cast<uint64_t>((static_cast<Wide>(bits) * span) >> 64);
  return static_cast<int64_t>(static_cast<uint64_t>(from) + offset);
}

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_RANDOM_H_
