// Which request comes next: a weighted choice (Vose's alias method), O(1) each, and the same
// sequence for the same weights and seed on every machine.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_REQUEST_MIX_H_
#define PLUMB_PLUGINS_HTTP_LOAD_REQUEST_MIX_H_

#include <cstdint>
#include <span>
#include <vector>

#include "plugins/http_load/random.h"

namespace plumb::http_load {

class RequestMix {
 public:
  // `weights` is not empty and every weight is finite and above zero.
  RequestMix(std::span<const double> weights, uint64_t seed);
  // An index into the weights.
  uint32_t next();

 private:
  struct Column {
    uint64_t keep;   // of 2^32: how often the column stands for itself
    uint32_t alias;  // what it stands for otherwise
  };
  std::vector<Column> columns_;
  Random random_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_REQUEST_MIX_H_
