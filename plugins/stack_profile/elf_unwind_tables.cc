// The unwind tables of an ElfImage, copied out of the file into memory of their own: a mapped file
// that shrinks would end the plugin, and a file opened whole would make libdw read all of its
// debug information where a table has a hole.
#include <dwarf.h>
#include <elf.h>
#include <gelf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "plugins/stack_profile/elf_image.h"
#include "plugins/stack_profile/perf_record.h"

namespace plumb::stack_profile {

namespace {

constexpr uint64_t kMostCopiedBytes = 96u << 20;
constexpr size_t kMostKnownFrames = 100'000;
constexpr size_t kMostProgramHeaders = 256;

// Where the section .eh_frame lies in the file; false without section headers.
bool find_eh_frame(Elf* elf, GElf_Shdr& found) {
  size_t names = 0;
  if (::elf_getshdrstrndx(elf, &names) != 0) return false;
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section)) != nullptr) {
    if (::gelf_getshdr(section, &found) == nullptr) continue;
    const char* name = ::elf_strptr(elf, names, found.sh_name);
    if (name != nullptr && std::strcmp(name, ".eh_frame") == 0) {
      return found.sh_type != SHT_NOBITS;
    }
  }
  return false;
}

}  // namespace

bool ElfImage::copy_piece(uint64_t offset, uint64_t bytes) {
  if (bytes > kMostCopiedBytes || offset > file_bytes_ || bytes > file_bytes_ - offset)
    return false;
  uint64_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::pread(file_.get(), tables_ + offset + done, bytes - done,
                              static_cast<off_t>(offset + done));
    if (n <= 0) return false;
    done += static_cast<uint64_t>(n);
  }
  copied_bytes_ += bytes;
  return true;
}

void ElfImage::copy_unwind_tables() {
  if (tables_copied_) return;
  tables_copied_ = true;
  if (!memory_.empty()) {
    tables_elf_ = ::elf_memory(memory_.data(), memory_.size());
    cfi_ = tables_elf_ != nullptr ? ::dwarf_getcfi_elf(tables_elf_) : nullptr;
    return;
  }
  Elf* elf = ::elf_begin(file_.get(), ELF_C_READ, nullptr);
  if (elf == nullptr) return;
  GElf_Ehdr head{};
  GElf_Shdr eh_frame{};
  size_t headers = 0;
  const bool usable = ::gelf_getclass(elf) == ELFCLASS64 && ::gelf_getehdr(elf, &head) != nullptr &&
                      ::elf_getphdrnum(elf, &headers) == 0 && headers <= kMostProgramHeaders &&
                      find_eh_frame(elf, eh_frame) && file_bytes_ >= sizeof(Elf64_Ehdr);
  GElf_Phdr table_head{};
  for (size_t i = 0; usable && i < headers; ++i) {
    GElf_Phdr segment;
    if (::gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr) break;
    if (segment.p_type == PT_GNU_EH_FRAME) table_head = segment;
  }
  ::elf_end(elf);
  if (!usable || table_head.p_type != PT_GNU_EH_FRAME) return;
  // As large as the file, but only the pages written to below are ever there.
  void* memory = ::mmap(nullptr, file_bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  tables_ = static_cast<char*>(memory);
  const bool copied = copy_piece(0, sizeof(Elf64_Ehdr)) &&
                      copy_piece(head.e_phoff, headers * sizeof(Elf64_Phdr)) &&
                      copy_piece(table_head.p_offset, table_head.p_filesz) &&
                      copy_piece(eh_frame.sh_offset, eh_frame.sh_size);
  if (!copied) return;
  Elf64_Ehdr own;
  std::memcpy(&own, tables_, sizeof(own));
  own.e_shoff = 0;
  own.e_shnum = 0;
  own.e_shstrndx = 0;
  std::memcpy(tables_, &own, sizeof(own));
  tables_elf_ = ::elf_memory(tables_, file_bytes_);
  cfi_ = tables_elf_ != nullptr ? ::dwarf_getcfi_elf(tables_elf_) : nullptr;
}

Elf* ElfImage::unwind_tables() {
  copy_unwind_tables();
  return cfi_ != nullptr ? tables_elf_ : nullptr;
}

ElfImage::Frames ElfImage::frames_at(uint64_t address) {
  copy_unwind_tables();
  if (cfi_ == nullptr) return Frames::kUnknown;
  const auto known = frames_.find(address);
  if (known != frames_.end()) return known->second;
  Frames frames = Frames::kUnknown;
  Dwarf_Frame* frame = nullptr;
  if (::dwarf_cfi_addrframe(cfi_, address, &frame) == 0) {
    Dwarf_Op* operations = nullptr;
    size_t count = 0;
    if (::dwarf_frame_cfa(frame, &operations, &count) == 0 && count > 0) {
      const Dwarf_Op& first = operations[0];
      const bool by_frame_pointer =
          (first.atom == DW_OP_bregx && first.number == kFramePointerRegister) ||
          first.atom == DW_OP_breg0 + kFramePointerRegister;
      frames = by_frame_pointer ? Frames::kFramePointer : Frames::kNone;
    }
    std::free(frame);
  }
  if (frames_.size() >= kMostKnownFrames) frames_.clear();
  frames_.emplace(address, frames);
  return frames;
}

}  // namespace plumb::stack_profile
