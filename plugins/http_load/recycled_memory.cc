#include "plugins/http_load/recycled_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

namespace plumb::http_load {

// In front of what is given out.
struct alignas(std::max_align_t) RecycledMemory::Block {
  size_t size;  // of what follows
  Block* next;  // while it is kept

  void* memory() { return this + 1; }
  static Block* of(void* memory) { return static_cast<Block*>(memory) - 1; }
};

RecycledMemory::RecycledMemory() {
  callbacks_.mem_user_data = this;
  callbacks_.malloc = [](size_t size, void* self) {
    return static_cast<RecycledMemory*>(self)->take(size);
  };
  callbacks_.free = [](void* memory, void* self) {
    static_cast<RecycledMemory*>(self)->give_back(memory);
  };
  callbacks_.calloc = [](size_t count, size_t size, void* self) -> void* {
    if (size != 0 && count > std::numeric_limits<size_t>::max() / size) return nullptr;
    void* out = static_cast<RecycledMemory*>(self)->take(count * size);
    return out == nullptr ? nullptr : std::memset(out, 0, count * size);
  };
  callbacks_.realloc = [](void* memory, size_t size, void* self) {
    return static_cast<RecycledMemory*>(self)->resize(memory, size);
  };
}

RecycledMemory::~RecycledMemory() {
  for (Block* block : kept_)
    while (block != nullptr) std::free(std::exchange(block, block->next));
}

void* RecycledMemory::take(size_t size) {
  if (size > std::numeric_limits<size_t>::max() - sizeof(Block) - kStep) return nullptr;
  const size_t steps = std::max<size_t>(1, (size + kStep - 1) / kStep);
  if (steps <= kClasses && kept_[steps - 1] != nullptr) {
    Block* block = kept_[steps - 1];
    kept_[steps - 1] = block->next;
    return block->memory();
  }
  auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + steps * kStep));
  if (block == nullptr) return nullptr;
  block->size = steps * kStep;
  return block->memory();
}

void RecycledMemory::give_back(void* memory) {
  if (memory == nullptr) return;
  Block* block = Block::of(memory);
  const size_t steps = block->size / kStep;
  if (steps > kClasses) return std::free(block);
  block->next = kept_[steps - 1];
  kept_[steps - 1] = block;
}

void* RecycledMemory::resize(void* memory, size_t size) {
  if (memory != nullptr && size <= Block::of(memory)->size) return memory;
  void* out = take(size);
  if (out == nullptr || memory == nullptr) return out;
  std::memcpy(out, memory, Block::of(memory)->size);
  give_back(memory);
  return out;
}

}  // namespace plumb::http_load
