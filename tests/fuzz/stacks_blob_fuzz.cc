// What a run file may hold where stacks are meant to be: any blob, and any text inside of one that
// decompresses; then everything that reads stacks. Built with clang's -fsanitize=fuzzer.
#include <zstd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/profile/call_tree.h"
#include "core/profile/functions.h"
#include "core/profile/pruned_tree.h"
#include "core/store/batch_codec.h"

namespace {

void read_blob(std::string_view blob) {
  std::vector<plumb::FoldedStack> stacks;
  const bool whole = plumb::store::decode_stacks(blob, stacks).is_ok();
  plumb::profile::CallTree tree(500, 10'000);
  for (const plumb::FoldedStack& stack : stacks) {
    if (!std::isfinite(stack.weight) || stack.weight <= 0 || stack.frames.empty()) __builtin_trap();
    tree.add(stack.frames, stack.weight);
  }
  for (const auto kernel_time :
       {plumb::profile::KernelTime::kIsItsOwn, plumb::profile::KernelTime::kIsItsCallers})
    static_cast<void>(plumb::profile::functions_of(tree, kernel_time));
  const auto pruned = plumb::profile::prune(tree, {.least_share = 0.01, .most_nodes = 50});
  for (size_t i = 1; i < pruned.nodes.size(); ++i)
    if (pruned.nodes[i].parent >= i) __builtin_trap();
  if (!whole) return;
  std::vector<plumb::FoldedStack> again;
  if (!plumb::store::decode_stacks(plumb::store::encode_stacks(stacks), again).is_ok() ||
      again.size() != stacks.size())
    __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_blob(bytes);
  std::string blob(ZSTD_compressBound(size), '\0');
  blob.resize(ZSTD_compress(blob.data(), blob.size(), data, size, 1));
  read_blob(blob);
  return 0;
}
