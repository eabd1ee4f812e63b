// Which request comes next: a weighted choice (Vose's alias method), O(1) each, and the same for
// the same weights and bits on every machine.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_REQUEST_MIX_H_
#define PLUMB_PLUGINS_HTTP_LOAD_REQUEST_MIX_H_

#include <cstdint>
#include <span>
#include <vector>

namespace plumb::http_load {

class RequestMix {
 public:
  // `weights` is not empty and every weight is finite and above zero.
  explicit RequestMix(std::span<const double> weights);
  // The index into the weights that 64 random bits choose.
  uint32_t pick(uint64_t draw) const;

 private:
  struct Column {
    uint64_t keep;   // of 2^32: how often the column stands for itself
    uint32_t alias;  // what it stands for otherwise
  };
  std::vector<Column> columns_;
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_REQUEST_MIX_H_
