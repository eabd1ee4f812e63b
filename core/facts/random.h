// Random numbers that are the same on every machine, which those of <random>'s distributions are
// not.
#ifndef PLUMB_CORE_FACTS_RANDOM_H_
#define PLUMB_CORE_FACTS_RANDOM_H_

#include <cstdint>
#include <string_view>

namespace plumb::facts {

// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  // 0 to n - 1; n is far below 2^32, so that the remainder favours nobody.
  uint64_t below(uint64_t n) { return next() % n; }
  // 0 to 1, without 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

// A seed of its own for what `name` names (FNV-1a), so that one series' draws do not follow from
// another's.
inline uint64_t seed_for(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace plumb::facts

#endif  // PLUMB_CORE_FACTS_RANDOM_H_
