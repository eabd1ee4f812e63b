// Memory for nghttp2, which takes and gives back the same few sizes with every request, a batch of
// them at a time: small blocks are kept and given out again, which costs less than malloc's
// bookkeeping. Not thread-safe.
#ifndef PLUMB_PLUGINS_HTTP_LOAD_RECYCLED_MEMORY_H_
#define PLUMB_PLUGINS_HTTP_LOAD_RECYCLED_MEMORY_H_

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>

namespace plumb::http_load {

// Outlives what was taken from it. Keeps as much as was ever in use at a time.
class RecycledMemory {
 public:
  RecycledMemory();
  ~RecycledMemory();
  RecycledMemory(const RecycledMemory&) = delete;
  RecycledMemory& operator=(const RecycledMemory&) = delete;

  // Aligned for any type; null when there is no memory.
  void* take(size_t size);
  // Null, or what take() gave.
  void give_back(void* memory);
  // As realloc().
  void* resize(void* memory, size_t size);

  nghttp2_mem* callbacks() { return &callbacks_; }

 private:
  struct Block;
  static constexpr size_t kStep = 64;
  static constexpr size_t kClasses = 16;  // beyond so many steps blocks are not kept

  std::array<Block*, kClasses> kept_{};
  nghttp2_mem callbacks_{};
};

}  // namespace plumb::http_load

#endif  // PLUMB_PLUGINS_HTTP_LOAD_RECYCLED_MEMORY_H_
