#include "plugins/stack_profile/elf_image.h"

#include <gelf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "plugins/proc/fields.h"
#include "plugins/proc/file.h"
#include "plugins/proc/stat.h"
#include "plugins/stack_profile/address_space.h"

namespace plumb::stack_profile {

namespace {

constexpr uint64_t kMostFileBytes = 8ull << 30;
constexpr size_t kMostSegments = 256;
constexpr size_t kMostName = 2048;
constexpr int kMostBackward = 8;  // symbols looked at for one that reaches over the address

// Of several names of one function, the one people know it by: the fewest underscores before it.
size_t leading_underscores(const std::string& name) {
  const size_t at = name.find_first_not_of('_');
  return at == std::string::npos ? name.size() : at;
}

std::string read_name(int descriptor, uint64_t at, uint64_t most) {
  char buffer[kMostName];
  const ssize_t n =
      ::pread(descriptor, buffer, std::min<uint64_t>(most, sizeof(buffer)), static_cast<off_t>(at));
  if (n <= 0) return {};
  return std::string(buffer, ::strnlen(buffer, static_cast<size_t>(n)));
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
OwnedDescriptor::OwnedDescriptor(OwnedDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}
OwnedDescriptor& OwnedDescriptor::operator=(OwnedDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Result<std::unique_ptr<ElfImage>> ElfImage::open(OwnedDescriptor file, std::string name,
                                                 const std::string& debug_root) {
  struct stat what {};
  if (!file.is_open() || ::fstat(file.get(), &what) != 0 || !S_ISREG(what.st_mode)) {
    return Status::invalid_argument(name + " is no regular file");
  }
  if (static_cast<uint64_t>(what.st_size) > kMostFileBytes) {
    return Status::invalid_argument(name + " is larger than 8 GiB");
  }
  ::elf_version(EV_CURRENT);
  Elf* elf = ::elf_begin(file.get(), ELF_C_READ, nullptr);
  if (elf == nullptr) return Status::invalid_argument(name + " cannot be read as an ELF file");
  std::unique_ptr<ElfImage> image(new ElfImage());
  image->name_ = std::move(name);
  image->debug_root_ = debug_root;
  image->file_bytes_ = static_cast<uint64_t>(what.st_size);
  image->file_ = std::move(file);
  const Status status = image->read_headers(elf);
  ::elf_end(elf);
  if (!status) return status;
  return image;
}

Result<std::unique_ptr<ElfImage>> ElfImage::open_vdso() {
  const uint64_t start = ::getauxval(AT_SYSINFO_EHDR);
  proc::Buffer buffer;
  std::string_view maps = buffer.read("/proc/self/maps").text;
  uint64_t bytes = 0;
  while (!maps.empty()) {
    const auto mapping = parse_maps_line(proc::next_line(maps));
    if (mapping && mapping->start == start) bytes = mapping->end - mapping->start;
  }
  if (start == 0 || bytes == 0) return Status::not_found("this process has no vdso");
  std::unique_ptr<ElfImage> image(new ElfImage());
  image->name_ = "[vdso]";
  const auto* from = reinterpret_cast<const char*>(start);
  image->memory_.assign(from, from + bytes);
  image->file_bytes_ = bytes;
  ::elf_version(EV_CURRENT);
  Elf* elf = ::elf_memory(image->memory_.data(), image->memory_.size());
  if (elf == nullptr) return Status::invalid_argument("the vdso cannot be read");
  const Status status = image->read_headers(elf);
  ::elf_end(elf);
  if (!status) return status;
  return image;
}

ElfImage::~ElfImage() {
  if (cfi_ != nullptr) ::dwarf_cfi_end(cfi_);
  if (tables_elf_ != nullptr) ::elf_end(tables_elf_);
  if (tables_ != nullptr) ::munmap(tables_, file_bytes_);
}

Status ElfImage::read_headers(Elf* elf) {
  GElf_Ehdr head;
  size_t count = 0;
  const bool readable = ::elf_kind(elf) == ELF_K_ELF && ::gelf_getehdr(elf, &head) != nullptr &&
                        ::elf_getphdrnum(elf, &count) == 0;
  if (!readable) return Status::invalid_argument(name_ + " is no ELF file");
  bool first = true;
  for (size_t i = 0; i < std::min(count, kMostSegments); ++i) {
    GElf_Phdr segment;
    if (::gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr) break;
    if (segment.p_type != PT_LOAD || segment.p_memsz > UINT64_MAX - segment.p_vaddr) continue;
    if (first) {
      const uint64_t alignment = std::max<uint64_t>(segment.p_align, 1);
      low_ = segment.p_vaddr / alignment * alignment;
      first = false;
    }
    high_ = std::max(high_, segment.p_vaddr + segment.p_memsz);
    if ((segment.p_flags & PF_X) != 0) {
      code_.push_back({segment.p_offset, segment.p_filesz, segment.p_vaddr});
    }
  }
  if (code_.empty()) return Status::invalid_argument(name_ + " holds no code");
  return Status::ok();
}

bool ElfImage::is_code(uint64_t address) const {
  return std::any_of(code_.begin(), code_.end(), [&](const Segment& s) {
    return address >= s.address && address - s.address < s.file_bytes;
  });
}

std::optional<uint64_t> ElfImage::address_at(uint64_t offset) const {
  for (const Segment& s : code_) {
    if (offset >= s.offset && offset - s.offset < s.file_bytes) {
      return s.address + (offset - s.offset);
    }
  }
  // A mapping begins at the start of a page, a segment need not.
  for (const Segment& s : code_) {
    const uint64_t page = proc::page_bytes();
    if (offset < s.offset && s.offset - offset < page && s.address >= s.offset - offset) {
      return s.address - (s.offset - offset);
    }
  }
  return std::nullopt;
}

size_t ElfImage::bytes() const {
  constexpr size_t kKnownFrameBytes = 48;  // with what the map needs beside it
  return sizeof(*this) + memory_.capacity() + symbols_.capacity() * sizeof(Symbol) +
         pool_.capacity() + copied_bytes_ + frames_.size() * kKnownFrameBytes;
}

size_t ElfImage::symbol_count() {
  load_symbols();
  return symbols_.size();
}

std::optional<ElfImage::Function> ElfImage::function_at(uint64_t address) {
  load_symbols();
  const auto above = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                      [](uint64_t a, const Symbol& s) { return a < s.address; });
  std::optional<Function> best;
  uint64_t best_rank = UINT64_MAX;
  auto at = above;
  for (int looked = 0; at != symbols_.begin() && looked < kMostBackward; ++looked) {
    --at;
    if (best && at->address != best->start) break;
    // A symbol without a size reaches to the next one.
    const bool sized = at->size > 0;
    const bool inside = sized ? address - at->address < at->size : !best && std::next(at) == above;
    if (!inside) continue;
    std::string name = symbol_name(*at);
    if (name.empty()) continue;
    const uint64_t rank = (sized ? 0 : 1000) + ((at->name & kLocal) != 0 ? 100 : 0) +
                          std::min<uint64_t>(leading_underscores(name), 50);
    if (rank >= best_rank) continue;
    best_rank = rank;
    best = Function{at->address, std::move(name)};
  }
  return best;
}

std::string ElfImage::symbol_name(const Symbol& symbol) const {
  const uint32_t at = symbol.name & kNameMask;
  if ((symbol.name & kPooled) != 0) return at < pool_.size() ? pool_.c_str() + at : "";
  return at < names_bytes_ ? read_name(names_from_, names_at_ + at, names_bytes_ - at) : "";
}

}  // namespace plumb::stack_profile
