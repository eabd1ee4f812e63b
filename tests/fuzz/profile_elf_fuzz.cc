// Any bytes as an ELF file of the target: refused or read, but no crash, and no table larger than
// the file accounts for.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "plugins/stack_profile/elf_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plumb::stack_profile;
  OwnedDescriptor file(::memfd_create("fuzz", MFD_CLOEXEC));
  if (!file.is_open() || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  const auto opened = ElfImage::open(std::move(file), "fuzz", "/nonexistent");
  if (!opened) return 0;
  ElfImage& image = *opened.value();
  if (image.symbol_count() > size) __builtin_trap();
  for (const uint64_t offset : {uint64_t{0}, uint64_t{0x1000}, uint64_t{size / 2}}) {
    const auto address = image.address_at(offset);
    if (!address) continue;
    (void)image.function_at(*address);
    (void)image.frames_at(*address);
  }
  (void)image.unwind_tables();
  return 0;
}
