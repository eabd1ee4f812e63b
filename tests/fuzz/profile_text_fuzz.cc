// Any text as /proc/PID/maps, a perf map file (whole and in pieces), /proc/kallsyms, the status of
// a process and the name of a function: no crash, and what comes out is within its bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/stack_profile/address_space.h"
#include "plugins/stack_profile/function_name.h"
#include "plugins/stack_profile/kernel_symbols.h"
#include "plugins/stack_profile/perf_map.h"

namespace {

using namespace plumb::stack_profile;

void check_maps(std::string_view text) {
  AddressSpace space;
  space.assign(text);
  uint64_t reached = 0;
  for (const Mapping& mapping : space.all()) {
    if (mapping.start < reached || mapping.start >= mapping.end) __builtin_trap();
    reached = mapping.end;
    if (space.find(mapping.start) != &mapping) __builtin_trap();
  }
  // Each line again as a new mapping, over what is there.
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (auto mapping = parse_maps_line(text.substr(0, end))) space.insert(*mapping);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  reached = 0;
  for (const Mapping& mapping : space.all()) {
    if (mapping.start < reached || mapping.start >= mapping.end) __builtin_trap();
    reached = mapping.end;
  }
}

void check_perf_map(std::string_view text, size_t step) {
  PerfMap whole;
  whole.append(text);
  PerfMap pieces;
  for (size_t at = 0; at < text.size(); at += step) pieces.append(text.substr(at, step));
  if (whole.size() != pieces.size()) __builtin_trap();
  if (whole.find(0x1000) != pieces.find(0x1000)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t step = data[0] % 16 + 1u;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_maps(text);
  check_perf_map(text, step);
  KernelSymbols kernel;
  kernel.append(text);
  kernel.sort();
  (void)kernel.find(data[0] * 4096u);
  if (frame_text(text).size() > 244 || frame_text(text).find(';') != std::string::npos) {
    __builtin_trap();
  }
  if (shorten(text).size() > text.size() + 16) __builtin_trap();
  (void)demangle(std::string(text));
  return 0;
}
