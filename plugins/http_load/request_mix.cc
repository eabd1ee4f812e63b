#include "plugins/http_load/request_mix.h"

#include <cmath>
#include <numeric>

namespace plumb::http_load {
namespace {
constexpr double kWhole = 4294967296.0;  // 2^32
}

RequestMix::RequestMix(std::span<const double> weights) : columns_(weights.size()) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> share;
  std::vector<uint32_t> small;
  std::vector<uint32_t> large;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    share.push_back(weights[i] / total * static_cast<double>(weights.size()));
    (share[i] < 1 ? small : large).push_back(i);
    columns_[i] = {uint64_t{1} << 32, i};
  }
  while (!small.empty() && !large.empty()) {
    const uint32_t s = small.back();
    const uint32_t l = large.back();
    small.pop_back();
    columns_[s] = {static_cast<uint64_t>(std::llround(share[s] * kWhole)), l};
    share[l] -= 1 - share[s];
    if (share[l] < 1) {
      large.pop_back();
      small.push_back(l);
    }
  }
}

uint32_t RequestMix::pick(uint64_t draw) const {
  const auto at = static_cast<uint32_t>(((draw >> 32) * columns_.size()) >> 32);
  const Column& column = columns_[at];
  return (draw & 0xffffffffu) < column.keep ? at : column.alias;
}

}  // namespace plumb::http_load
